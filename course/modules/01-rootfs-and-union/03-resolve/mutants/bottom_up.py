"""Caught by: top-first. At most: 10. The lowest layer that has the name wins."""


def resolve(path, layers):
    for number in range(len(layers)):
        if path in layers[number] or path + "/" in layers[number]:
            hidden = any(stops(path, set(upper)) for upper in layers[number + 1 :])
            return None if hidden else number
    return None


def stops(path, entries):
    names = path.split("/")
    for depth in range(len(names)):
        above = "".join(name + "/" for name in names[:depth])
        if above + ".wh." + names[depth] in entries or above + ".wh..wh..opq" in entries:
            return True
        if above and above[:-1] in entries:
            return True
    return False
