"""Believes that ARG is another word for ENV: its value is there in the container."""


def answer(question, right):
    if question.given["line"].startswith("ARG"):
        return {"is": "config", "because": question.given["letters"]["settings"]}
    return right
