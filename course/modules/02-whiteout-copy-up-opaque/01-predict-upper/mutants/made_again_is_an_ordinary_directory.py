"""Believes that a directory that is deleted and made again is an ordinary one."""


def answer(question, right):
    if question.group != "opaque":
        return right
    return {path: kind.removeprefix("opaque ") for path, kind in right.items()}
