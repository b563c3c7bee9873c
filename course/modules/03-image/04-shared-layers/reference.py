def blobs(images):
    return {layer["digest"]: layer["size"] for layers in images.values() for layer in layers}


def stored(images):
    return sum(blobs(images).values())


def pulled(images, name):
    others = {other: layers for other, layers in images.items() if other != name}
    return stored(images) - stored(others)


def freed(images, name):
    return pulled(images, name)  # what it alone needs must come for it, and goes with it
