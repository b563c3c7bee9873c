"""Of a file in several layers it counts every copy, the one that is seen too."""


def dead_bytes(layers):
    found = {}
    for layer in layers:
        for path, kind, size in layer:
            if kind == "file":
                found.setdefault(path, []).append(size)
    dead = sum(sum(sizes) for sizes in found.values() if len(sizes) > 1)
    for number, layer in enumerate(layers):
        for path, kind, _ in layer:
            if kind == "whiteout":
                for below in layers[:number]:
                    dead += sum(
                        size
                        for known, what, size in below
                        if what == "file"
                        and (known == path or known.startswith(path + "/"))
                        and len(found[known]) == 1
                    )
    return dead
