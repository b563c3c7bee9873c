"""Counts a layer again if one image has it twice."""


def blobs(images):
    return {layer["digest"]: layer["size"] for layers in images.values() for layer in layers}


def stored(images):
    known = {}
    for layers in images.values():
        for digest in {layer["digest"] for layer in layers}:
            own = [layer["size"] for layer in layers if layer["digest"] == digest]
            known[digest] = max(known.get(digest, 0), sum(own))
    return sum(known.values())


def pulled(images, name):
    others = {other: layers for other, layers in images.items() if other != name}
    return sum(blobs(images).values()) - sum(blobs(others).values())


def freed(images, name):
    return pulled(images, name)  # what it alone needs must come for it, and goes with it
