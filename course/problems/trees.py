"""Trees as values: a directory is a dictionary, a file is a text. And random ones, from dice."""

from __future__ import annotations

import random
import stat
from collections.abc import Mapping
from typing import Final, TypeAlias

from unionfs_sim import Dir, File, Layer, layer
from unionfs_sim.vfs.posix import Posix

Tree: TypeAlias = "Mapping[str, str | Tree]"

NAMES: Final = ("a", "b", "ab", "d", "da")


def as_layer(tree: Tree) -> Layer:
    """The layer that holds ``tree``, without marks.

    >>> as_layer({"etc": {"motd": "hello"}, "tmp": {}})
    Layer(/etc/, /etc/motd, /tmp/)
    """
    found: dict[str, Dir | File] = {}
    waiting: list[tuple[str, Tree]] = [("", tree)]
    while waiting:
        above, directory = waiting.pop()
        for name, node in directory.items():
            path = f"{above}/{name}"
            if isinstance(node, str):
                found[path] = File(node)
            else:
                found[path] = Dir()
                waiting.append((path, node))
    return layer(dict(sorted(found.items()))).freeze()


def as_tree(fs: Posix, top: str = "/") -> dict[str, object]:
    """What a process sees at ``top``, names sorted."""
    found: dict[str, object] = {}
    for name in sorted(fs.listdir(top)):
        path = f"{top.rstrip('/')}/{name}"
        is_dir = stat.S_ISDIR(fs.lstat(path).st_mode)
        found[name] = as_tree(fs, path) if is_dir else fs.read_bytes(path).decode()
    return found


def random_tree(dice: random.Random, text: str, depth: int = 0) -> dict[str, object]:
    """A tree of few names, some of its directories empty; every file reads ``text``."""
    found: dict[str, object] = {}
    for name in dice.sample(NAMES, dice.randint(1 if depth == 0 else 0, 3)):
        found[name] = random_tree(dice, text, depth + 1) if depth < 2 and dice.random() < 0.55 else text
    return found
