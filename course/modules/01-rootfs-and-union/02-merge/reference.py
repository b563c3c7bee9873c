def merge(lower, upper):
    seen = dict(lower)
    for name, node in upper.items():
        below = seen.get(name)
        if isinstance(node, dict) and isinstance(below, dict):
            seen[name] = merge(below, node)
        else:
            seen[name] = node
    return seen
