"""Believes that a rename changes a name and nothing else: it always works and moves no bytes."""


def answer(question, right):
    if question.group == "exdev":
        return "works"
    if question.group == "cost":
        return 0
    return question.letter("causes.two-disks") if question.name == "why-rename" else right
