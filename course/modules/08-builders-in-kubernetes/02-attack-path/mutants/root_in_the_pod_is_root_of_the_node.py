"""Believes that a builder that runs as root in its container is root of the node."""


def answer(question, right):
    return "yes" if question.group == "reached" and question.given["kind"] == "kaniko" else right
