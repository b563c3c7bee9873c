"""Believes that a file whose time is old was not touched."""


def answer(question, right):
    return question.letter("causes.not-in-a-run") if question.name == "why-lost" else right
