"""Is a file kept out of the build context?

Replace the body of ``ignored``. Try it:  layerlab learn check 4.4
"""


def ignored(text, path):
    """True if the ``.dockerignore`` with these contents keeps ``path`` out, else False."""
    return None
