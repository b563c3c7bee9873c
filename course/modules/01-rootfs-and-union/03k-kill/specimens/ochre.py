"""Keeps what can be seen so far, layer by layer from the base up."""


def resolve(path, layers):
    seen = {}
    for number, names in enumerate(layers):
        for name in names:
            above, _, leaf = name.rpartition("/")
            if leaf.startswith(".wh.") and leaf != ".wh..wh..opq":
                seen.pop((above + "/" if above else "") + leaf[4:], None)
            elif leaf != ".wh..wh..opq":
                seen.setdefault(name.rstrip("/"), number)
    return seen.get(path)
