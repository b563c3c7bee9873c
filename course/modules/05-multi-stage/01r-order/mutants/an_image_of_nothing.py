"""Believes that stages hand on what they made by themselves."""


def answer(question, right):
    lines = question.given["lines"]
    return [*lines[:6], lines[7]]
