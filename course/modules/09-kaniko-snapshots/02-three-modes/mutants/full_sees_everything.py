"""Believes that full means everything."""


def answer(question, right):
    return question.given["shows"].get("full-sees-it", right)
