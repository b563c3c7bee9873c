"""Takes away, layer by layer, whatever begins like a deleted name."""


def resolve(path, layers):
    seen = {}
    for number, names in enumerate(layers):
        for name in names:
            above, _, leaf = name.rpartition("/")
            prefix = above + "/" if above else ""
            if leaf == ".wh..wh..opq":
                seen = {known: n for known, n in seen.items() if not known.startswith(prefix)}
            elif leaf.startswith(".wh."):
                hidden = prefix + leaf[4:]
                seen = {known: n for known, n in seen.items() if not known.startswith(hidden)}
            elif not name.endswith("/"):
                seen = {known: n for known, n in seen.items() if not known.startswith(name + "/")}
        for name in names:
            if ".wh." not in name:
                seen[name.rstrip("/")] = number
    return seen.get(path)
