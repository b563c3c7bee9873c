"""Takes layers of one size for one layer."""


def blobs(images):
    return {layer["digest"]: layer["size"] for layers in images.values() for layer in layers}


def stored(images):
    return sum(set(blobs(images).values()))


def pulled(images, name):
    others = {other: layers for other, layers in images.items() if other != name}
    return sum(blobs(images).values()) - sum(blobs(others).values())


def freed(images, name):
    return pulled(images, name)  # what it alone needs must come for it, and goes with it
