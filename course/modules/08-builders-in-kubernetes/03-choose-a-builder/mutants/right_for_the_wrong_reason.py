"""Chooses right, and believes that it is a matter of the pod's level."""


def answer(question, right):
    if question.group != "userns":
        return right
    return {**right, "because": question.given["letters"]["level"]}
