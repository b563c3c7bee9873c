"""Believes that a deletion takes something away: where nothing is added, there is no layer."""


def answer(question, right):
    if question.given["line"].startswith("RUN rm"):
        return {"is": "nothing", "because": question.given["letters"]["build-time"]}
    return right
