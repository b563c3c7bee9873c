"""Lists what was changed, and forgets the directories that lead to it."""


def answer(question, right):
    return {path: kind for path, kind in right.items() if kind != "dir"} if isinstance(right, dict) else right
