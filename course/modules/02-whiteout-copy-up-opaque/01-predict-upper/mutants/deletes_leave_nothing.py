"""Believes that a deletion takes something away and leaves nothing: layers can only shrink by it."""


def answer(question, right):
    if question.group == "why":
        return question.letter("causes.in-place")
    if isinstance(right, dict):
        return {path: kind for path, kind in right.items() if kind != "whiteout"}
    return right
