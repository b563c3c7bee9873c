"""Believes that what lies below a directory stays visible when a file takes its place."""


def answer(question, right):
    if question.name != "count-2":
        return right
    names = set()
    for layer in question.given["lowers"]:
        names |= {path for path, inode in layer.inodes() if not inode.is_dir}
    return len(names)
