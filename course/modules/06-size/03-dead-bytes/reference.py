def dead_bytes(layers):
    shipped = 0
    seen = {}
    for layer in layers:
        # First what the layer takes away from those below, then what it brings itself.
        for path, kind, _ in layer:
            for known in list(seen):
                is_below = known.startswith(path + "/")
                if (known == path and kind != "directory") or (is_below and kind != "directory"):
                    del seen[known]
                elif known == path and seen[known] is not None:
                    del seen[known]  # a directory in the place of a file
        for path, kind, size in layer:
            if kind == "file":
                shipped += size
                seen[path] = size
            elif kind != "whiteout":
                seen[path] = None
    return shipped - sum(size for size in seen.values() if size is not None)
