"""Believes that every program needs a C library and a loader, a static one too."""


def answer(question, right):
    libc = ["/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"]
    return {program: paths if len(paths) > 1 else [*paths, *libc] for program, paths in right.items()}
