"""Believes that the layers of all stages are in the image, in the order of the file."""


def answer(question, right):
    if question.group != "left-behind":
        return right
    if question.given["line"].startswith("ENV"):
        return {"is": "config", "because": question.given["letters"]["settings"]}
    return {"is": "layer", "because": question.given["letters"]["files"]}
