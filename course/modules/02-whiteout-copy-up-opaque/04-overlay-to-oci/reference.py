def to_oci(upper):
    names = []
    for path, kind in upper.items():
        above, _, leaf = path[1:].rpartition("/")
        above = above + "/" if above else ""
        if kind == "whiteout":
            names.append(above + ".wh." + leaf)
        elif kind == "file":
            names.append(above + leaf)
        else:
            names.append(above + leaf + "/")
            if kind == "opaque dir":
                names.append(above + leaf + "/.wh..wh..opq")
    return sorted(names)


def to_overlay(layer):
    upper, deleted, opaque = {}, set(), set()
    for name in layer:
        above, _, leaf = name.rstrip("/").rpartition("/")
        above = "/" + above if above else ""
        if leaf == ".wh..wh..opq":
            opaque.add(above)
        elif leaf.startswith(".wh."):
            deleted.add(above + "/" + leaf.removeprefix(".wh."))
        else:
            upper[above + "/" + leaf] = "dir" if name.endswith("/") else "file"
    for path in deleted:
        if path not in upper:
            upper[path] = "whiteout"
        elif upper[path] == "dir":
            opaque.add(path)
    for path in opaque:
        upper[path] = "opaque dir"
    return upper
