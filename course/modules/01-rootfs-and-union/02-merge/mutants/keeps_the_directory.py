"""Believes that a directory with something in it is stronger than a file in its place."""


def merge(lower, upper):
    seen = dict(lower)
    for name, node in upper.items():
        below = seen.get(name)
        if isinstance(below, dict):
            seen[name] = merge(below, node) if isinstance(node, dict) else below
        else:
            seen[name] = node
    return seen
