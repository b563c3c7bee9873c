"""Believes that what has one name before the colon shares everything: the largest of them is all."""


def blobs(images):
    return {layer["digest"]: layer["size"] for layers in images.values() for layer in layers}


def stored(images):
    largest = {}
    for name, layers in images.items():
        repository = name.partition(":")[0]
        largest[repository] = max(largest.get(repository, 0), sum(blobs({name: layers}).values()))
    return sum(largest.values())


def pulled(images, name):
    others = {other: layers for other, layers in images.items() if other != name}
    return sum(blobs(images).values()) - sum(blobs(others).values())


def freed(images, name):
    return pulled(images, name)  # what it alone needs must come for it, and goes with it
