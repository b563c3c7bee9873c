"""Believes that what is typed after the image is added to its command."""


def answer(question, right):
    return question.given["shows"].get("added", right)
