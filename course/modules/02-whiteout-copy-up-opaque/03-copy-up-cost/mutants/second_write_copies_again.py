"""Believes that every write copies the file once more."""


def cost(files, calls):
    lower = dict(files)  # what still lies in the lower layer alone
    total = 0
    for word, path, *rest in calls:
        if word in ("read", "create"):
            continue
        size = lower.get(path, 0)
        if word in ("unlink", "overwrite", "rename"):
            lower.pop(path, None)
        if word not in ("unlink", "overwrite"):
            total += size
    return total
