"""Believes that what was there first stays."""


def merge(lower, upper):
    seen = dict(upper)
    for name, node in lower.items():
        above = seen.get(name)
        seen[name] = merge(node, above) if isinstance(node, dict) and isinstance(above, dict) else node
    return seen
