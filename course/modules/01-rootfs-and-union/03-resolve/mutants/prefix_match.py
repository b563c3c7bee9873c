"""Caught by: exact-name. At most: 90. `.wh.d` is taken to hide `da` and `d2` too."""


def resolve(path, layers):
    names = path.split("/")
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return number
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh..wh..opq" in entries or (above and above[:-1] in entries):
                return None
            marks = [e[len(above) + 4 :] for e in entries if e.startswith(above + ".wh.")]
            if any(
                "/" not in mark and not mark.startswith(".wh.") and names[depth].startswith(mark)
                for mark in marks
            ):
                return None
    return None
