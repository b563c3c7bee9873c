"""Takes an opaque directory for any directory: what lies below stays in sight."""


def dead_bytes(layers):
    shipped, seen = 0, {}
    for layer in layers:
        for path, kind, _ in layer:
            if kind in ("file", "whiteout"):
                for known in [known for known in seen if known.startswith(path + "/")]:
                    del seen[known]
            seen.pop(path, None)
        for path, kind, size in layer:
            if kind == "file":
                shipped += size
                seen[path] = size
    return shipped - sum(seen.values())
