"""Exercise 6.3: bytes that are shipped and seen by nobody, as the analysis of images counts them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from builder.image.analysis import analyse
from course.check import Case
from unionfs_sim import WHITEOUT, Device, Dir, File, Layer, layer

Entry = list
"""A path, what is there, and its size."""


def cases(seed: str) -> Iterator[Case]:
    """The directed images, then random ones."""
    log, etc = file("var/log", 100), directory("etc")
    yield Case("deleted", args=([[log], [whiteout("var/log")]],))
    yield Case("deleted", args=([[log], [whiteout("var/log")], [file("var/log", 7)]],), because="back-again")
    yield Case("deleted", args=([[log], [file("var/mail", 5)]],), shows={"lower-is-lost": 100})
    yield Case("deleted", args=([[log, file("log", 30)], [whiteout("log")]],), because="other-path")
    yield Case("replaced", args=([[log], [file("var/log", 40)]],), shows={"every-copy": 140, "the-last": 40})
    yield Case("replaced", args=([[file("a", 3)], [file("a", 5)], [file("a", 7)]],), shows={"every-copy": 15})
    yield Case(
        "replaced", args=([[file("a", 6)], [file("a", 6)]],), shows={"every-copy": 12, "bytes-equal": 0}
    )
    yield Case("replaced", args=([[file("a", 3)]],), shows={"every-copy": 3})
    tree = [directory("opt"), directory("opt/x"), file("opt/x/big", 500), file("opt/y", 20)]
    yield Case("directory", args=([tree, [whiteout("opt")]],))
    yield Case("directory", args=([tree, [directory("opt"), whiteout("opt/x")]],))
    yield Case("directory", args=([[*tree, file("optional", 9)], [whiteout("opt")]],), because="prefix")
    yield Case(
        "directory", args=([[log, file("opt", 8)], [directory("opt"), file("opt/z", 1)]],), because="kind"
    )
    yield Case("directory", args=([tree, [file("opt", 2)]],), because="kind")
    yield Case("opaque", args=([tree, [opaque("opt"), file("opt/y", 25)]],))
    yield Case("opaque", args=([tree, [opaque("opt/x")]],))
    yield Case("opaque", args=([[opaque("opt"), file("opt/y", 20)], [file("a", 1)]],), because="own-layer")
    yield Case("metadata", args=([[etc, file("etc/motd", 6)], [etc, file("etc/hosts", 4)]],))
    yield Case("metadata", args=([[directory("tmp")], [whiteout("tmp")]],))
    yield Case("metadata", args=([[etc, file("etc/motd", 6)], [etc, whiteout("etc/motd")]],))
    dice = random.Random(seed)
    for _ in range(30):
        yield Case("any-image", args=(random_image(dice),))


def oracle(image: list[list[Entry]]) -> int:
    """The same from this project's own analysis of the layers."""
    return analyse([layer_of(entries) for entries in image]).wasted_bytes


def layer_of(entries: list[Entry]) -> Layer:
    made: dict[str, File | Dir | Device] = {}
    for path, kind, size in sorted(entries):
        made[f"/{path}"] = {
            "file": File("x" * size),
            "directory": Dir(),
            "opaque": Dir(opaque=True),
            "whiteout": WHITEOUT,
        }[kind]
    return layer(made).freeze()


def file(path: str, size: int) -> Entry:
    return [path, "file", size]


def directory(path: str) -> Entry:
    return [path, "directory", 4096]


def opaque(path: str) -> Entry:
    return [path, "opaque", 4096]


def whiteout(path: str) -> Entry:
    return [path, "whiteout", 0]


NAMES = ("a", "ab", "b", "d")


def random_image(dice: random.Random) -> list[list[Entry]]:
    return [random_layer(dice) for _ in range(dice.randint(1, 4))]


def random_layer(dice: random.Random) -> list[Entry]:
    """Entries of which each has its directories before it, and below which nothing lies that is no directory."""
    found: list[Entry] = []
    waiting = [""]
    while waiting:
        above = waiting.pop()
        for name in dice.sample(NAMES, dice.randint(0 if above else 1, 3)):
            path = above + name
            made = dice.choices((file, whiteout, directory, opaque), (5, 2, 4, 2))[0]
            if made is file:
                found.append(file(path, dice.randint(1, 99)))
                continue
            found.append(made(path))
            if made is not whiteout and path.count("/") < 2:
                waiting.append(f"{path}/")
    return sorted(found)
