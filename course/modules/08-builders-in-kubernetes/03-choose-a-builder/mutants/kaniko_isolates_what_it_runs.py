"""Believes that Kaniko keeps a RUN away from itself, as a container would."""


def answer(question, right):
    return {**right, "is": "kaniko"} if question.group == "run-reads" else right
