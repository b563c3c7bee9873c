"""Believes that a daemon of its own in a privileged pod keeps a job inside."""


def answer(question, right):
    return "no" if question.name == "reached-dind" else right
