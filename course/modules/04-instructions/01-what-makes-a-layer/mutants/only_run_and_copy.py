"""Knows by heart that RUN, COPY and ADD make layers, and nothing else does."""


def answer(question, right):
    if question.given["line"].startswith("WORKDIR /") and right["is"] == "layer":
        return {"is": "config", "because": question.given["letters"]["settings"]}
    return right
