"""Names are cleaned of all marks."""


def to_overlay(layer):
    upper, deleted, opaque = {}, set(), set()
    for name in layer:
        above, _, leaf = name.rstrip("/").rpartition("/")
        above = "/" + above if above else ""
        if leaf == ".wh..wh..opq":
            opaque.add(above)
        elif leaf.startswith(".wh."):
            deleted.add(above + "/" + leaf.replace(".wh.", "").strip("."))
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
