"""Exercise 2.5: a layer applied to a tree; every layer goes through a real tar."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from course.problems.tars import unpacked
from course.problems.trees import as_layer, as_tree, random_tree
from unionfs_sim.layers.merge import merged

SRV = {"srv": {"a": "old", "sub": {"b": "old", "c": {"d": "old"}}}, "motd": "old"}
DIRECTED = {
    "no-marks": [
        ({"motd": "old"}, [["motd", "new"]]),
        ({"etc": {"hosts": "old"}}, [["etc/", ""], ["etc/motd", "new"]]),
        ({"a": {"b": {"c": "old"}}}, [["a/", ""], ["a/b/", ""], ["a/b/d", "new"]]),
        ({"run": {"lock": "old"}}, [["run", "new"]]),
        ({"run": "old"}, [["run/", ""], ["run/lock", "new"]]),
        ({"etc": {"hosts": "old"}}, []),
        ({}, [["tmp/", ""]]),
        ({"etc": {"hosts": "old"}}, [["etc/", ""]]),
    ],
    "whiteout": [
        ({"motd": "old", "issue": "old"}, [[".wh.motd", ""]]),
        ({"etc": {"motd": "old", "hosts": "old"}}, [["etc/", ""], ["etc/.wh.motd", ""]]),
        (SRV, [[".wh.srv", ""]]),
        (SRV, [["srv/", ""], ["srv/.wh.sub", ""]]),
        ({"da": "old", "d": "old"}, [[".wh.d", ""]]),
    ],
    "opaque": [
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""]]),
        ({"srv": {"a": "old"}, "opt": {"a": "old"}}, [["srv/", ""], ["srv/.wh..wh..opq", ""]]),
        ({}, [["srv/", ""], ["srv/.wh..wh..opq", ""]]),
    ],
    "opaque-own-layer": [
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""], ["srv/new", "new"]]),
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""], ["srv/sub/", ""], ["srv/sub/new", "new"]]),
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""], ["srv/a", "new"]]),
    ],
    "opaque-deep": [
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""], ["srv/sub/", ""]]),
        (SRV, [["srv/", ""], ["srv/.wh..wh..opq", ""], ["srv/sub/", ""], ["srv/sub/c/", ""]]),
        (SRV, [["srv/", ""], ["srv/sub/", ""], ["srv/sub/.wh..wh..opq", ""], ["srv/sub/c/", ""]]),
    ],
    "tar-order": [
        (SRV, [["srv/", ""], ["srv/new", "new"], ["srv/.wh..wh..opq", ""]]),
        (SRV, [["srv/", ""], ["srv/sub/", ""], ["srv/sub/b", "new"], ["srv/.wh..wh..opq", ""]]),
        (SRV, [["srv/", ""], ["srv/new", "new"], [".wh.srv", ""]]),
        (SRV, [[".wh.srv", ""], ["srv/", ""], ["srv/new", "new"]]),
        ({"motd": "old"}, [["motd", "new"], [".wh.motd", ""]]),
    ],
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for lower, layer in rows:
            again = group == "tar-order" and any(name.startswith(".wh.") for name, _ in layer)
            yield Case(group, args=(lower, layer), because="made-again" if again else "")
    dice = random.Random(seed)
    for _ in range(50):
        yield Case("any-layer", args=(random_tree(dice, "old"), random_layer(dice)))


def oracle(lower, layer):
    """What is seen once the tar was unpacked and lies on the lower layer."""
    return as_tree(merged([as_layer(lower), unpacked(map(tuple, layer))]))


def random_layer(dice: random.Random) -> list[list[str]]:
    layer: list[list[str]] = []
    grow(dice, "", 0, layer)
    return layer


def grow(dice: random.Random, above: str, depth: int, layer: list[list[str]]) -> None:
    """Add entries to the directory ``above``; its opaque mark stands anywhere among them."""
    here: list[list[list[str]]] = []
    for name in dice.sample(("a", "b", "ab", "d", "da"), dice.randint(1 if depth == 0 else 0, 3)):
        kind = dice.choices(("file", "directory", "whiteout"), (3, 5 if depth < 2 else 0, 2))[0]
        if kind == "file":
            here.append([[above + name, "new"]])
        elif kind == "whiteout":
            here.append([[f"{above}.wh.{name}", ""]])
        else:
            inside: list[list[str]] = []
            grow(dice, f"{above}{name}/", depth + 1, inside)
            here.append([[f"{above}{name}/", ""], *inside])
    if depth and dice.random() < 0.35:
        here.append([[f"{above}.wh..wh..opq", ""]])
    dice.shuffle(here)
    for entries in here:
        layer += entries
