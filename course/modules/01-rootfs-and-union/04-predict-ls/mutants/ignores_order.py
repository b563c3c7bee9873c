"""Believes that the base wins: what was there first stays."""


def answer(question, right):
    if question.group == "order":
        return question.given["holders"][0]
    return question.letter("causes.bottom") if question.group == "why" else right
