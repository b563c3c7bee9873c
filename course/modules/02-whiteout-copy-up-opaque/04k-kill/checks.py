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
    seen = {""}
    for name in args[0]:
        if not isinstance(name, str) or len(name) > 60 or name.rstrip("/") in seen:
            return False
        above, _, leaf = name.removesuffix("/").rpartition("/")
        if (
            leaf in ("", ".", "..", ".wh.")
            or (above and above not in seen)
            or (not above
            and leaf == ".wh..wh..opq")
        ):
            return False
        if name.endswith("/") and leaf.startswith(".wh."):
            return False
        seen.add(name.rstrip("/"))
    directories = {name.rstrip("/") for name in args[0] if name.endswith("/")}
    return all(name.rstrip("/").rpartition("/")[0] in directories | {""} for name in args[0])
