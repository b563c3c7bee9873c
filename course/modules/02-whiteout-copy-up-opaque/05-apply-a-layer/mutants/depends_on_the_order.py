"""Applies entry by entry: a mark also takes away what its own layer had put there before it."""

import copy


def apply(lower, layer):
    seen = copy.deepcopy(lower)
    for name, text in layer:
        above, leaf = split(name)
        directory = find(seen, above)
        if directory is None:
            continue
        if leaf == ".wh..wh..opq":
            directory.clear()
        elif leaf.startswith(".wh."):
            directory.pop(leaf[4:], None)
        elif not name.endswith("/"):
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
