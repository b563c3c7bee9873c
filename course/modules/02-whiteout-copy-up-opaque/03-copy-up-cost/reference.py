def cost(files, calls):
    lower = dict(files)  # what still lies in the lower layer alone
    total = 0
    for word, path, *rest in calls:
        if word in ("read", "create"):
            continue
        size = lower.pop(path, 0)
        if word not in ("unlink", "overwrite"):
            total += size
    return total
