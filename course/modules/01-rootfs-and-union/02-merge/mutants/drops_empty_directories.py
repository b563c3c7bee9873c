"""Thinks in files: a directory is only the path to one, an empty one is nothing."""


def merge(lower, upper):
    seen = {name: node for name, node in lower.items() if node != {}}
    for name, node in upper.items():
        below = seen.get(name)
        if isinstance(node, dict):
            merged = merge(below if isinstance(below, dict) else {}, node)
            if merged:
                seen[name] = merged
        else:
            seen[name] = node
    return seen
