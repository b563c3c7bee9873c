"""Counts what belongs to the pod, and forgets what the node itself holds."""


def answer(question, right):
    return question.given["without"] if question.group == "credentials" else right
