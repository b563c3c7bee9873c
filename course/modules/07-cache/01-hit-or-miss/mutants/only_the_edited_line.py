"""Believes that only the line whose input changed runs again."""


def answer(question, right):
    return (
        question.given["wrong"]["only-the-first"] if question.group in ("below", "from", "context") else right
    )
