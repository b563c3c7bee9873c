"""What do writes cost on a fresh container?

Replace the body of ``cost``. Try it:  layerlab learn check 2.3
"""


def cost(files, calls):
    """The bytes that are copied from the lower layer into the upper while ``calls`` run.

    ``files``: path -> size in bytes, all in the lower layer; the upper is empty at first. ``calls``: see README.
    """
    return 0
