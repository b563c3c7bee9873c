"""Believes that every line is a layer."""


def answer(question, right):
    return {"is": "layer", "because": question.given["letters"]["files"]}
