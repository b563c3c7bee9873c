"""Believes that variables are replaced in both forms, as they are in ENV and COPY."""


def answer(question, right):
    return question.given["shows"].get("expands", right)
