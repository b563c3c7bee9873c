"""Merges directories, and replaces those inside of them."""


def merge(lower, upper):
    seen = dict(lower)
    for name, node in upper.items():
        below = seen.get(name)
        both = isinstance(node, dict) and isinstance(below, dict)
        seen[name] = {**below, **node} if both else node
    return seen
