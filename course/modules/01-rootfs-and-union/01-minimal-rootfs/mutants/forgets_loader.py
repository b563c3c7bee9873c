"""Believes that a program is started by the kernel alone: the loader is in no list of libraries."""


def answer(question, right):
    return {program: [path for path in paths if "ld-linux" not in path] for program, paths in right.items()}
