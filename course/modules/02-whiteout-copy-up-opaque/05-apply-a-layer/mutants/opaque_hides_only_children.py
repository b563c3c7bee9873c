"""Hides the files of an opaque directory, and merges its subdirectories all the same."""

import copy


def apply(lower, layer):
    seen = copy.deepcopy(lower)
    # Marks speak of the layers below alone, wherever they stand in the tar: first all of them, then the rest.
    for name, _ in layer:
        above, leaf = split(name)
        if leaf.startswith(".wh."):
            directory = find(seen, above)
            if directory is None:
                continue
            if leaf == ".wh..wh..opq":
                for child in [n for n, node in directory.items() if not isinstance(node, dict)]:
                    del directory[child]
                hidden = {split(n)[1] for n, _ in layer if split(n)[0] == above}
                for child in [n for n in directory if n not in hidden]:
                    del directory[child]
            else:
                directory.pop(leaf[4:], None)
    for name, text in layer:
        above, leaf = split(name)
        if leaf.startswith(".wh."):
            continue
        directory = find(seen, above)
        if not name.endswith("/"):
            directory[leaf] = text
        elif not isinstance(directory.get(leaf), dict):
            directory[leaf] = {}
    return seen


def split(name):
    *above, leaf = name.rstrip("/").split("/")
    return above, leaf


def find(tree, path):
    """The directory at ``path``, or None if the tree has none there."""
    for name in path:
        tree = tree.get(name)
        if not isinstance(tree, dict):
            return None
    return tree
