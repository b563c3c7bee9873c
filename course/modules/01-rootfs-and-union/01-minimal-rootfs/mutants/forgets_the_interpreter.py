"""Believes that a script runs by itself."""


def answer(question, right):
    return {program: [program] if program.endswith(".sh") else paths for program, paths in right.items()}
