"""Believes that a directory is moved by copying what lies in it."""


def answer(question, right):
    return question.given["every"] if question.name == "cost-dir" else right
