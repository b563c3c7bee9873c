"""Believes that a new name moves no bytes, as on a disk."""


def cost(files, calls):
    lower = dict(files)  # what still lies in the lower layer alone
    total = 0
    for word, path, *rest in calls:
        if word in ("read", "create"):
            continue
        size = lower.pop(path, 0)
        if word == "rename":
            lower[rest[0]] = size
        elif word not in ("unlink", "overwrite"):
            total += size
    return total
