"""Believes that the order is a matter of taste: first everything is copied, then everything is run."""


def answer(question, right):
    copies = [line for line in right if line.startswith("COPY")]
    runs = [line for line in right if line.startswith("RUN")]
    return [*right[:2], *copies, *runs, right[-1]]
