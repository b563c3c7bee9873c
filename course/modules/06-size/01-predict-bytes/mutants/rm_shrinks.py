"""Believes that what is deleted weighs nothing: the image is as large as what a container sees."""


def answer(question, right):
    return question.given["seen"] if question.group == "later-rm" else right
