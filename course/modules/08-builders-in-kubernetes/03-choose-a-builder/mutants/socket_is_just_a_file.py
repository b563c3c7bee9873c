"""Believes that a mounted socket is a file like others, whoever else is on the node."""


def answer(question, right):
    if question.group != "socket":
        return right
    return {"is": "docker-socket", "because": question.given["letters"]["alone"]}
