"""A whiteout stands for a name in the root."""


def to_overlay(layer):
    upper = {}
    for name in layer:
        leaf = name.rstrip("/").rpartition("/")[2]
        if not leaf.startswith(".wh."):
            again = name.rstrip("/").removesuffix(leaf) + ".wh." + leaf in layer
            opaque = name + ".wh..wh..opq" in layer or again
            upper["/" + name.rstrip("/")] = (
                ("opaque dir" if opaque else "dir") if name.endswith("/") else "file"
            )
    for name in layer:
        leaf = name.rpartition("/")[2]
        if leaf.startswith(".wh.") and leaf != ".wh..wh..opq":
            upper.setdefault("/" + leaf[4:], "whiteout")
    return upper
