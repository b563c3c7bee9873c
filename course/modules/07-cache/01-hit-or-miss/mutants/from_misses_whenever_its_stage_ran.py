"""Believes that COPY --from depends on whether the other stage ran, and not on what it made."""


def answer(question, right):
    return question.given["wrong"]["never-equal"] if question.group == "from" else right
