"""Has learnt that deleting frees nothing, and counts what one RUN made and removed again."""


def answer(question, right):
    return question.given["written"] if question.group == "same-run" else right
