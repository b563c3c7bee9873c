"""Believes that redo hashes contents as well, at least those of plain files."""


def answer(question, right):
    if question.name == "same-size-old-time":
        return ["full", "redo"]
    return question.letter("causes.too-small") if question.name == "why-lost" else right
