"""One entry after another, as a tar is read."""


def to_overlay(layer):
    upper = {}
    for name in layer:
        above, _, leaf = name.rstrip("/").rpartition("/")
        above = "/" + above if above else ""
        if leaf == ".wh..wh..opq":
            upper[above] = "opaque dir"
        elif leaf.startswith(".wh."):
            upper[above + "/" + leaf[4:]] = "whiteout"
        elif name.endswith("/"):
            before = upper.get(above + "/" + leaf)
            upper[above + "/" + leaf] = "opaque dir" if before == "whiteout" else "dir"
        else:
            upper[above + "/" + leaf] = "file"
    return upper
