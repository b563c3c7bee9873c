"""Asks from the top down; marks of every directory on the way end the search."""


def resolve(path, layers):
    parts = path.split("/")
    ends = [
        "".join(part + "/" for part in parts[:depth]) + mark
        for depth in range(len(parts))
        for mark in (".wh." + parts[depth], ".wh..wh..opq")
    ]
    for number in range(len(layers) - 1, -1, -1):
        if path in layers[number] or path + "/" in layers[number]:
            return number
        if any(end in layers[number] for end in ends):
            return None
    return None
