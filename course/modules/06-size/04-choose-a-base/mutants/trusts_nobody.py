"""Believes that certificates come with the program or with every base."""


def answer(question, right):
    return {name: [each for each in chosen if each != "ca-certificates"] for name, chosen in right.items()}
