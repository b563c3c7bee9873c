"""Counts the stations of a way instead of its steps."""


def answer(question, right):
    return right + 1 if question.group == "shortest" else right
