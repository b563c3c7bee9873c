"""Caught by: whiteout. At most: 65. A `.wh.` entry is taken for an ordinary file."""


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
    return None
