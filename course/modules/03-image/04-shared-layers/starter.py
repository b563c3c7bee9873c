"""What images take together.

Replace the bodies of the functions. Try them:  layerlab learn check 3.4

``images``: name -> a list of {"digest", "size"}, base first.
"""


def stored(images):
    """The bytes that all layers take in the store."""
    return None


def pulled(images, name):
    """The bytes to fetch for the image ``name``, if all the others are here already."""
    return None


def freed(images, name):
    """The bytes that are free again when the image ``name`` is deleted."""
    return None
