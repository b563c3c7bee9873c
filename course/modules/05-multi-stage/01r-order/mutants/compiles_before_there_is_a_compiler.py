"""Runs make before it is installed."""


def answer(question, right):
    lines = question.given["lines"]
    return [lines[0], lines[2], lines[3], lines[4], lines[1], *lines[5:8]]
