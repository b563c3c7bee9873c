"""Believes that ten seconds are what it takes to stop a container."""


def answer(question, right):
    return question.letter("causes.always-ten") if question.name == "why-stop" else right
