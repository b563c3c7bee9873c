"""Counts only layers that one single image names once: those that it has twice seem to be needed still."""


def blobs(images):
    return {layer["digest"]: layer["size"] for layers in images.values() for layer in layers}


def stored(images):
    return sum(blobs(images).values())


def pulled(images, name):
    others = {other: layers for other, layers in images.items() if other != name}
    return stored(images) - stored(others)


def freed(images, name):
    every = [layer["digest"] for layers in images.values() for layer in layers]
    return sum(layer["size"] for layer in images[name] if every.count(layer["digest"]) == 1)
