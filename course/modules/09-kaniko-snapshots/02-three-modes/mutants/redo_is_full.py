"""Believes that redo is full with another name."""


def answer(question, right):
    return question.given["shows"].get("redo-sees-it", right)
