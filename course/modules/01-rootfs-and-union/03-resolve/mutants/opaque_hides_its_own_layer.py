"""Caught by: opaque-own-layer. At most: 90. An opaque directory hides what its own layer put there."""


def resolve(path, layers):
    names = path.split("/")
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh..wh..opq" in entries:
                return None
        if path in entries or path + "/" in entries:
            return number
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh." + names[depth] in entries or (above and above[:-1] in entries):
                return None
    return None
