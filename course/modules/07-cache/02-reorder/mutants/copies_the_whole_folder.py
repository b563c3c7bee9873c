"""Copies the folder as it lies there, notes and all."""


def answer(question, right):
    kept = [line for line in right if not line.startswith("COPY")]
    return [*kept[:3], "COPY . /src/", *kept[3:]]
