"""Believes that a change of mode is no change of the file."""


def answer(question, right):
    if question.group != "copy-up":
        return right
    changed = [line.split()[-1] for line in question.given["lines"] if line.startswith("chmod")]
    return {path: kind for path, kind in right.items() if path not in changed and path != "/etc"}
