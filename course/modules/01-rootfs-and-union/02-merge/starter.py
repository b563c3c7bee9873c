"""Two layers seen as one tree.

Replace the body of ``merge``. Try it:  layerlab learn check 1.2
"""


def merge(lower, upper):
    """The tree that a process sees when ``upper`` lies on ``lower``.

    A directory is a dict, name -> what it holds; a file is a text. Neither has marks: nothing is deleted.
    """
    return None
