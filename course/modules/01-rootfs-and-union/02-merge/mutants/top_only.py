"""Believes that the last layer is the image; looks below only inside of directories that both have."""


def merge(lower, upper):
    seen = {}
    for name, node in upper.items():
        below = lower.get(name)
        both = isinstance(node, dict) and isinstance(below, dict)
        seen[name] = {**below, **merge(below, node)} if both else node
    return seen
