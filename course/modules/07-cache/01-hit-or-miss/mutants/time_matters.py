"""Believes that builders look at times, as make does."""


def answer(question, right):
    return question.given["wrong"]["by-time"] if question.group == "touch" else right
