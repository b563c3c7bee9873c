"""Which layer answers a path?

Replace the body of ``resolve``. Try it:  layerlab learn check 1.3
"""


def resolve(path, layers):
    """The number of the layer that a reader of ``path`` gets, or None if nobody can see it.

    ``layers``: base first; a layer is a list of the names in its tar, such as
    ["etc/", "etc/motd", "etc/.wh.hosts"]. Directories end in "/". ``path`` does not: "etc/motd".
    """
    return None
