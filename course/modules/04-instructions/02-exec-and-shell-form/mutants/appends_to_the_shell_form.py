"""Believes that CMD, or the words of docker run, are appended to a shell-form ENTRYPOINT."""


def answer(question, right):
    return question.given["shows"].get("appended", right)
