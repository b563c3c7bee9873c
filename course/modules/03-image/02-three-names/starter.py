"""The three names of a layer.

Replace the bodies of the functions. Try them:  layerlab learn check 3.2
"""


def digest(stored):
    """``sha256:…`` of the bytes as they are stored."""
    return ""


def diff_id(stored):
    """``sha256:…`` of the uncompressed tar; ``stored`` is a tar, or a tar compressed by gzip."""
    return ""


def chain_ids(diff_ids):
    """The name of the stack up to and with each layer; ``diff_ids``: base first."""
    return []
