"""Believes that a rootless builder asks for nothing: no root, so nothing to allow."""


def answer(question, right):
    return {**right, "is": "buildah-rootless"} if question.group == "userns" else right
