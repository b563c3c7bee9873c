"""Installs first, as it has learnt; then copies all sources together, since COPY is cheap."""


def answer(question, right):
    copies = [line for line in right if line.startswith("COPY")]
    runs = [line for line in right[3:] if line.startswith("RUN")]
    return [*right[:3], *copies, *runs, right[-1]]
