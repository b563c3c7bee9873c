"""What did a command change? Two looks at all files, compared.

Replace the body of ``changes``. Try it:  layerlab learn check 9.1
"""


def changes(before, after):
    """The names in the layer's tar, sorted. ``before``, ``after``: path -> entry, see README."""
    return []
