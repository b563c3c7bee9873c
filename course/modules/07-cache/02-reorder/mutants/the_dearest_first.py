"""Puts the dear of the two last parts first, or the cheap one, and not the one that is seldom edited."""


def answer(question, right):
    return [*right[:5], *right[7:9], *right[5:7], right[9]]
