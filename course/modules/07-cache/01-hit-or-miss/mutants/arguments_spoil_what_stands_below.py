"""Believes that an argument spoils every line below its ARG, those too that cannot see it."""


def answer(question, right):
    return question.given["wrong"]["arg-for-all"] if question.group == "args" else right
