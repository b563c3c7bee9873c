"""Believes that every deletion leaves a whiteout, also of what only the upper had."""


def answer(question, right):
    if question.group != "upper-only":
        return right
    gone = [line.split()[-1] for line in question.given["lines"] if line.startswith("rm")]
    return {**right, **dict.fromkeys(gone, "whiteout")}
