"""The cases of exercise 1.3. All answers are the union's own, which is held against the kernel."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from course.problems.tars import answered_by

WHITEOUT_PREFIX = ".wh."
OPAQUE_MARK = ".wh..wh..opq"

DIRECTED: dict[str, list[tuple[str, list[list[str]]]]] = {
    "top-first": [
        ("motd", [["motd"]]),
        ("motd", [["motd"], []]),
        ("motd", [["motd"], ["motd"]]),
        ("etc/motd", [["etc/", "etc/motd"], ["etc/", "etc/motd"], ["etc/", "etc/hosts"]]),
        ("absent", [["motd"], ["etc/"]]),
    ],
    "whiteout": [
        ("motd", [["motd"], [".wh.motd"]]),
        ("hosts", [["motd", "hosts"], [".wh.motd"]]),
        ("motd", [["motd"], ["motd"], [".wh.hosts"]]),
        ("etc/motd", [["etc/", "etc/motd"], ["etc/", "etc/.wh.motd"]]),
        ("etc/motd", [["etc/", "etc/motd"], [".wh.motd"]]),
    ],
    "whiteout-scope": [
        ("motd", [["motd"], [".wh.motd"], ["motd"]]),
        ("motd", [["motd"], ["motd", ".wh.motd"]]),
        ("motd", [[".wh.motd"], ["motd"]]),
        ("etc/motd", [["etc/", "etc/motd"], [".wh.etc"], ["etc/", "etc/motd"], []]),
    ],
    "opaque": [
        ("app/old", [["app/", "app/old"], ["app/", "app/.wh..wh..opq"]]),
        ("app", [["app/", "app/old"], ["app/", "app/.wh..wh..opq"]]),
        ("app/a/b", [["app/", "app/a/", "app/a/b"], ["app/", "app/.wh..wh..opq"]]),
        ("old", [["old", "app/"], ["app/", "app/.wh..wh..opq"]]),
    ],
    "opaque-own-layer": [
        ("app/new", [["app/"], ["app/", "app/.wh..wh..opq", "app/new"]]),
        ("app/new", [["app/", "app/new"], ["app/", "app/.wh..wh..opq"], ["app/", "app/new"]]),
        ("app/d/f", [["app/"], ["app/", "app/.wh..wh..opq", "app/d/", "app/d/f"]]),
    ],
    "ancestors": [
        ("a/b/c", [["a/", "a/b/", "a/b/c"], [".wh.a"]]),
        ("a/b/c", [["a/", "a/b/", "a/b/c"], ["a/", "a/.wh.b"]]),
        ("a/b/c", [["a/", "a/b/", "a/b/c"], [".wh.a"], ["a/", "a/b/"]]),
        ("a/b", [["a/", "a/b/", "a/b/c"], [".wh.a"], ["a/", "a/b/"]]),
        ("a/b/c", [["a/", "a/b/"], ["a/", "a/b/", "a/b/c"], ["a/", "a/.wh.c"]]),
    ],
    "exact-name": [
        ("da", [["d", "da"], [".wh.d"]]),
        ("d2/f", [["d2/", "d2/f"], [".wh.d"]]),
        ("d", [["d", "da"], [".wh.da"]]),
        ("da", [["d"], ["d", "da"], [".wh.d"]]),
        ("x/data", [["x/", "x/data", "x/da"], ["x/", "x/.wh.da"]]),
    ],
    "file-over-directory": [
        ("d/f", [["d/", "d/f"], ["d"]]),
        ("d", [["d/", "d/f"], ["d"]]),
        ("d/f", [["d/", "d/f"], ["d"], ["d/"]]),
        ("d/g/h", [["d/", "d/g/", "d/g/h"], ["d/", "d/g"]]),
    ],
}


DIRECTORIES = [
    ("etc", [["etc/"]]),
    ("etc", [["etc/"], ["etc/", "etc/motd"]]),
]
"""A path has no slash at its end, an entry that is a directory has one."""

NAMES = ("a", "b", "ab", "d", "da")


def cases(seed: str) -> Iterator[Case]:
    """All cases for one learner: the directed ones, then 60 random stacks."""
    for group, rows in DIRECTED.items():
        for path, layers in rows:
            yield Case(group, args=(path, layers))
    for path, layers in DIRECTORIES:
        yield Case("top-first", args=(path, layers), because="slash")
    dice = random.Random(seed)
    for _ in range(60):
        layers = [random_layer(dice) for _ in range(dice.randint(3, 5))]
        path = random_path(dice, layers)
        yield Case("any-stack", args=(path, layers))


def random_path(dice: random.Random, layers: list[list[str]]) -> str:
    """Mostly a path that some layer has, preferably a low one: those are the ones that can be hidden."""
    known = sorted(
        {name.rstrip("/") for layer in layers[:-1] for name in layer if WHITEOUT_PREFIX not in name}
    )
    if known and dice.random() < 0.85:
        return dice.choice(known)
    return "/".join(dice.choice(NAMES) for _ in range(dice.randint(1, 3)))


def random_layer(dice: random.Random) -> list[str]:
    """Names of a small layer: parents first, now and then a whiteout or an opaque mark."""
    names: dict[str, None] = {}
    grow(dice, "", 0, names)
    return list(names)


def grow(dice: random.Random, above: str, depth: int, names: dict[str, None]) -> None:
    """Add some children of the directory ``above`` to ``names``."""
    for name in dice.sample(NAMES, dice.randint(0 if depth == 0 else 1, 3)):
        kind = dice.choices(("file", "directory", "whiteout"), (3, 5 if depth < 2 else 0, 2))[0]
        if kind == "file":
            names[above + name] = None
        elif kind == "whiteout":
            names[above + WHITEOUT_PREFIX + name] = None
        else:
            names[above + name + "/"] = None
            if dice.random() < 0.3:
                names[above + name + "/" + OPAQUE_MARK] = None
            grow(dice, above + name + "/", depth + 1, names)


def oracle(path: str, layers: list[list[str]]) -> int | None:
    """What the simulated overlay answers, itself held against the kernel."""
    return answered_by(path, layers)
