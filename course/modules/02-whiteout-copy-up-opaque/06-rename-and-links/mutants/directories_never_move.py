"""Believes that no directory can be renamed on a union, whether it is in the lower layer or not."""


def answer(question, right):
    return "EXDEV" if question.group == "exdev" and question.name != "rename-file" else right
