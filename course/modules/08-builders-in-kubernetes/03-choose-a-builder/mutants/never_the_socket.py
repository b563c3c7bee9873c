"""Believes that the socket is always wrong, on a node of its own too."""


def answer(question, right):
    return {**right, "is": "buildah-rootless"} if right["is"] == "docker-socket" else right
