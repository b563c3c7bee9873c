"""Exercise 2.4K: cases for to_overlay(layer); what is true, the unpacker says."""

from __future__ import annotations

from course.problems.listing import entries
from course.problems.tars import unpacked

FUNCTION = "to_overlay"
SPECIMENS = {name: f"{name}.py" for name in ("wren", "lark", "finch", "robin", "heron", "stork")}
NAMES = 20


def oracle(layer):
    return entries(unpacked((name, "") for name in layer))


def is_question(*args):
    """Whether a tar may hold these names: each stands there once, after the directory that it lies in."""
    if len(args) != 1 or not isinstance(args[0], list) or len(args[0]) > NAMES:
        return False
    seen, directories = set(), {""}
    for name in args[0]:
        if not isinstance(name, str) or len(name) > 60 or not may_follow(name, seen, directories):
            return False
        seen.add(name.rstrip("/"))
        if name.endswith("/"):
            directories.add(name.rstrip("/"))
    return True


def may_follow(name, seen, directories):
    above, _, leaf = name.removesuffix("/").rpartition("/")
    if name.rstrip("/") in seen or above not in directories or leaf in ("", ".", "..", ".wh."):
        return False
    is_mark = leaf.startswith(".wh.")
    return not (is_mark and name.endswith("/")) and (above != "" or leaf != ".wh..wh..opq")
