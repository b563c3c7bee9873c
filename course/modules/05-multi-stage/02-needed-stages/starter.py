"""Which stages must be built for a target?

Replace the body of ``needed``. Try it:  layerlab learn check 5.2
"""


def needed(stages, target):
    """The numbers of the stages that ``target`` (a name, or None for the last one) needs, itself too; sorted.

    ``stages``: a list of {"name", "base", "copies", "mounts"}, in the order of the file.
    """
    return []
