"""Believes that every builder builds every Dockerfile: ko and jib too."""


def answer(question, right):
    return {**right, "is": "no-run"} if question.group == "runs" else right
