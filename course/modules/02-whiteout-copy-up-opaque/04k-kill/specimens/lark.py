"""Every mark is a deletion of the name behind it."""


def to_overlay(layer):
    upper = {}
    for name in layer:
        above, _, leaf = name.rstrip("/").rpartition("/")
        path = ("/" + above if above else "") + "/"
        if leaf.startswith(".wh."):
            upper.setdefault(path + leaf[4:], "whiteout")
        else:
            again = (
                upper.get(path + leaf) == "whiteout"
                or (above + "/" if above else "") + ".wh." + leaf in layer
            )
            kind = "opaque dir" if again else "dir"
            upper[path + leaf] = kind if name.endswith("/") else "file"
    return upper
