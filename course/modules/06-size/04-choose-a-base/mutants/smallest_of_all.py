"""Believes that the best base is the smallest, whatever is to run on it."""


def answer(question, right):
    return {name: ["scratch", *chosen[1:]] for name, chosen in right.items()}
