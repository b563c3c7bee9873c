"""Finds what was replaced and not what was deleted: there is no newer copy to hold it against."""


def dead_bytes(layers):
    dead, seen = 0, {}
    for layer in layers:
        for path, kind, _ in layer:
            if kind == "opaque":
                for known in [known for known in seen if known.startswith(path + "/")]:
                    dead += seen.pop(known)
        for path, kind, size in layer:
            if kind == "file":
                dead += seen.get(path, 0)
                seen[path] = size
    return dead
