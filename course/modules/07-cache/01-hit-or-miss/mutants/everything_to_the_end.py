"""Believes that the cache ends with the first miss, for all that stands below it in the file."""


def answer(question, right):
    return question.given["wrong"]["to-the-end"] if question.group in ("below", "from", "args") else right
