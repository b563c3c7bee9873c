"""Believes that alpine is the small one that runs everything: programs for glibc do not start there."""


def answer(question, right):
    return {name: ["alpine:3.19", *chosen[1:]] for name, chosen in right.items()}
