"""Believes that the CMD of the base image is still there after ENTRYPOINT was set."""


def answer(question, right):
    return question.given["shows"].get("inherits", right)
