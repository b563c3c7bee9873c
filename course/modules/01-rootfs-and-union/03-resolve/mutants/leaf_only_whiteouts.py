"""Caught by: ancestors. At most: 85. A whiteout hides the name itself and nothing below it."""


def resolve(path, layers):
    names = path.split("/")
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return number
        parent = "".join(name + "/" for name in names[:-1])
        if parent + ".wh." + names[-1] in entries:
            return None
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh..wh..opq" in entries or (above and above[:-1] in entries):
                return None
    return None
