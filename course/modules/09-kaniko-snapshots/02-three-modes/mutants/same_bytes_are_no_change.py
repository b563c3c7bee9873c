"""Believes that a scan compares contents alone: the same bytes are no change."""


def answer(question, right):
    return question.given["shows"].get("no-change", right)
