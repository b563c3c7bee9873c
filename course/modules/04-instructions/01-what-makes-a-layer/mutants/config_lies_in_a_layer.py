"""Believes that the config is a file like all others, and lies in a layer."""


def answer(question, right):
    if right["is"] == "config" and question.group == "settings":
        return {"is": "layer", "because": question.given["letters"]["settings"]}
    return right
