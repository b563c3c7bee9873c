"""Believes that a layer is a command that was run: what is copied from the context is only referred to."""


def answer(question, right):
    if question.given["line"].startswith(("COPY", "ADD")) and question.group == "files":
        return {"is": "config", "because": question.given["letters"]["settings"]}
    return right
