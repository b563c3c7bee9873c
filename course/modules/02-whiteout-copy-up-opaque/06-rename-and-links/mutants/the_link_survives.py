"""Believes that two names of one file stay two names of one file, whatever happens."""


def answer(question, right):
    if question.group == "links":
        return [2, 2] if question.name == "link-counts" else question.given["after"]
    return question.letter("causes.links-across") if question.name == "why-link" else right
