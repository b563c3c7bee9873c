"""Believes that COPY --chown is COPY and then chown: the files are in two layers."""


def answer(question, right):
    return question.given["as_run"] if question.group == "flags" else right
