"""Believes that a change of mode copies nothing up, and so looks for no chmod behind an entry."""


def answer(question, right):
    return [line for line in right if not line.startswith("chmod")]
