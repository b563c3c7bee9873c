"""Caught by: whiteout-scope. At most: 75. A whiteout in any layer hides the name for good."""


def resolve(path, layers):
    names = path.split("/")
    for depth in range(len(names)):
        above = "".join(name + "/" for name in names[:depth])
        if any(above + ".wh." + names[depth] in layer for layer in layers):
            return None
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return number
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh..wh..opq" in entries or (above and above[:-1] in entries):
                return None
    return None
