"""A deleted name is a whiteout, unless it is there."""


def to_overlay(layer):
    upper = {}
    for name in layer:
        above, _, leaf = name.rstrip("/").rpartition("/")
        path = ("/" + above if above else "") + "/" + leaf
        if not leaf.startswith(".wh."):
            opaque = name + ".wh..wh..opq" in layer
            upper[path] = ("opaque dir" if opaque else "dir") if name.endswith("/") else "file"
    for name in layer:
        above, _, leaf = name.rpartition("/")
        if leaf.startswith(".wh.") and leaf != ".wh..wh..opq":
            upper.setdefault(("/" + above if above else "") + "/" + leaf[4:], "whiteout")
    return upper
