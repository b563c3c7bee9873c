"""Believes that a mode or an owner is a note of a few bytes: chmod -R costs nothing."""


def answer(question, right):
    return question.given["first"] if question.group == "metadata" else right
