def resolve(path, layers):
    for number in reversed(range(len(layers))):
        entries = set(layers[number])
        if path in entries or path + "/" in entries:
            return number
        if hides_below(path, entries):
            return None
    return None


def hides_below(path, entries):
    """Whether this layer stops the search for a path that it does not hold itself."""
    names = path.split("/")
    for depth in range(len(names)):
        above = "".join(name + "/" for name in names[:depth])
        if above + ".wh." + names[depth] in entries:
            return True
        if above + ".wh..wh..opq" in entries:
            return True
        if above and above[:-1] in entries:  # a file stands where the path needs a directory
            return True
    return False
