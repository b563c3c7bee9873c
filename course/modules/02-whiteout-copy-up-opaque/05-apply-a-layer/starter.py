"""A layer put on a tree, marks and all.

Replace the body of ``apply``. Try it:  layerlab learn check 2.5
"""


def apply(lower, layer):
    """The tree that a process sees once ``layer`` lies on ``lower``.

    ``lower``: a directory is a dict, name -> what it holds; a file is a text. ``layer``: the entries of a tar in
    their order, [name, text]; directories end in "/" and have "".
    """
    return None
