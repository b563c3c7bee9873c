"""Asks the layers from the top down, and looks at the directory of the path for marks."""


def resolve(path, layers):
    above, _, leaf = path.rpartition("/")
    prefix = above + "/" if above else ""
    for number in range(len(layers) - 1, -1, -1):
        names = layers[number]
        if path in names or path + "/" in names:
            return number
        if prefix + ".wh." + leaf in names or prefix + ".wh..wh..opq" in names:
            return None
    return None
