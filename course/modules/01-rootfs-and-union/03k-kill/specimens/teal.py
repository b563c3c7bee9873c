"""Collects all deletions first, then looks for the path from the top down."""


def resolve(path, layers):
    gone = set()
    for names in layers:
        for name in names:
            above, _, leaf = name.rpartition("/")
            if leaf.startswith(".wh.") and leaf != ".wh..wh..opq":
                gone.add((above + "/" if above else "") + leaf[4:])
    parts = path.split("/")
    if any("/".join(parts[: n + 1]) in gone for n in range(len(parts))):
        return None
    for number in range(len(layers) - 1, -1, -1):
        if path in layers[number] or path + "/" in layers[number]:
            return number
    return None
