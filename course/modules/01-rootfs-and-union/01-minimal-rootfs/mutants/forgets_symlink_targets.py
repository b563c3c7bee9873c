"""Copies the names that were asked for, and not the files behind them."""


def answer(question, right):
    files = question.given["machine"].files
    targets = {entry.link for entry in files.values() if entry.link}
    return {program: [path for path in paths if path not in targets] for program, paths in right.items()}
