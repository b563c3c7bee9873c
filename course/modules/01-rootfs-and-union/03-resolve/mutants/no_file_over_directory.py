"""Caught by: file-over-directory. At most: 90. A file does not stop the search for what was below a directory."""


def resolve(path, layers):
    names = path.split("/")
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return number
        for depth in range(len(names)):
            above = "".join(name + "/" for name in names[:depth])
            if above + ".wh." + names[depth] in entries or above + ".wh..wh..opq" in entries:
                return None
    return None
