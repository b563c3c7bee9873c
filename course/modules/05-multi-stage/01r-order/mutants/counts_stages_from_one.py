"""Counts stages from 1: --from=1 is the last stage itself."""


def answer(question, right):
    lines = question.given["lines"]
    return [*lines[:6], lines[10], lines[7]]
