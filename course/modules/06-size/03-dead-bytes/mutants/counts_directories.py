"""Counts what `ls` says of directories, as if a layer stored it, and every one that comes again."""


def dead_bytes(layers):
    shipped, seen = 0, {}
    for layer in layers:
        for path, kind, _ in layer:
            for known in list(seen):
                if known == path or (kind != "directory" and known.startswith(path + "/")):
                    del seen[known]
        for path, kind, size in layer:
            if kind != "whiteout":
                shipped += size
                seen[path] = size
    return shipped - sum(seen.values())
