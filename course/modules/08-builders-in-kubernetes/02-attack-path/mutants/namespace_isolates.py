"""Believes that a namespace of Kubernetes is a wall between tenants."""


def answer(question, right):
    return "no" if question.name == "reached-own-namespace" else right
