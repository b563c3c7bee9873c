"""Caught by: top-first. At most: 0. Answers `True` where 1 is meant: equal in Python, another type."""


def resolve(path, layers):
    names = path.split("/")
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return True if number == 1 else number
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh." + names[depth] in entries or above + ".wh..wh..opq" in entries:
                return None
            if above and above[:-1] in entries:
                return None
    return None
