"""Believes that dropping all capabilities is always right, and always enough."""


def answer(question, right):
    return ["drop-capabilities"] if question.group == "cut" else right
