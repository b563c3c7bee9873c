"""Installs the compiler where it is first needed, below the sources that it needs first."""


def answer(question, right):
    return [*right[:2], right[3], right[2], *right[4:]]
