"""Believes that a deletion leaves nothing in the upper, so that no entry can stand for one."""


def answer(question, right):
    return [line for line in right if not line.startswith("rm")]
