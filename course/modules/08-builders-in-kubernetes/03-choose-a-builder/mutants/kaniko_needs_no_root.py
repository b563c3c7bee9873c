"""Believes that Kaniko needs no root, as many pages say: without privileges is not without user 0."""


def answer(question, right):
    if question.group != "root":
        return right
    return {"is": "kaniko", "because": question.given["letters"]["userns"]}
