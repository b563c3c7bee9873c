"""Believes that what is mounted read-only can do no harm, sockets and secrets included."""


def answer(question, right):
    return "no" if question.group == "reached" and "readOnly" in question.given["pod"] else right
