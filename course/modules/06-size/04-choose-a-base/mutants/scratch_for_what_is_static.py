"""A static program needs nothing, so scratch; that a script starts it is forgotten."""


def answer(question, right):
    services = question.given["services"]
    return {
        name: ["scratch", *chosen[1:]] if services[name].libc == "static" else chosen
        for name, chosen in right.items()
    }
