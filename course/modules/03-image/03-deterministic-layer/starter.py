"""A layer that does not tell who made it, where and when.

Replace the body of ``pack``. Try it:  layerlab learn check 3.3
"""


def pack(files):
    """A tar of ``files``, compressed by gzip, as bytes.

    ``files``: a list of {"path", "content" (bytes), "mode", "mtime", "uid", "user"}, in the order of the disk.
    """
    return b""
