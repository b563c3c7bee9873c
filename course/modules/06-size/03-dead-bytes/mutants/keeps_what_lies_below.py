"""A whiteout of a directory takes the directory away and forgets what lies in it."""


def dead_bytes(layers):
    shipped, seen = 0, {}
    for layer in layers:
        for path, kind, _ in layer:
            if kind == "opaque":
                for known in [known for known in seen if known.startswith(path + "/")]:
                    del seen[known]
            seen.pop(path, None)
        for path, kind, size in layer:
            if kind == "file":
                shipped += size
                seen[path] = size
    return shipped - sum(seen.values())
