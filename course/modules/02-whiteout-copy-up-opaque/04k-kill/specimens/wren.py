"""What is in the tar is on the disk."""


def to_overlay(layer):
    return {"/" + name.rstrip("/"): "dir" if name.endswith("/") else "file" for name in layer}
