"""Applies the whiteouts last: what was deleted stays deleted, though it was made again."""

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
                directory.clear()
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
    for name, _ in layer:
        above, leaf = split(name)
        if leaf.startswith(".wh.") and leaf != ".wh..wh..opq":
            find(seen, above).pop(leaf[4:], None)
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
