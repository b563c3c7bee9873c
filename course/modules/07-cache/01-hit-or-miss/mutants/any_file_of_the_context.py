"""Believes that the context is one thing: any file in it spoils every COPY."""


def answer(question, right):
    return question.given["wrong"]["any-file"] if question.group == "context" else right
