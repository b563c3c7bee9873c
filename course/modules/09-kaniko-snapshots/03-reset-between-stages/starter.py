"""What is in the root when the next stage begins?

Replace the body of ``reset``. Try it:  layerlab learn check 9.3
"""


def reset(root, base, ignored):
    """The paths in the root afterwards, sorted; directories end with a slash. See README."""
    return None
