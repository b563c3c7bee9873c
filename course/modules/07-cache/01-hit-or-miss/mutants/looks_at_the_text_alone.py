"""Gets the lines right and believes that a line that did not change need not run."""


def answer(question, right):
    if question.name == "why-touch":
        return question.letter("causes.no-line-changed")
    return question.letter("causes.line-unchanged") if question.name == "why-from" else right
