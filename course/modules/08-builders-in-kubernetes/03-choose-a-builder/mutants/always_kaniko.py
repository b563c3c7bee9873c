"""Has one answer: Kaniko is the safe one."""


def answer(question, right):
    return {**right, "is": "kaniko"}
