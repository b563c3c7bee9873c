"""Copies the directory in which the program lies, and what was made on the way with it."""


def answer(question, right):
    lines = question.given["lines"]
    return [*lines[:6], lines[9], lines[7]]
