"""Believes that a name of a time zone is enough: the rules behind it are files."""


def answer(question, right):
    return {name: [each for each in chosen if each != "tzdata"] for name, chosen in right.items()}
