"""The cases of exercise 1.3. The answers to the random ones are the union's own."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from unionfs_sim import WHITEOUT, Dir, File, Layer, layer, mount

WHITEOUT_PREFIX = ".wh."
OPAQUE_MARK = ".wh..wh..opq"

DIRECTED: dict[str, list[tuple[str, list[list[str]], int | None]]] = {
    "top-first": [
        ("motd", [["motd"]], 0),
        ("motd", [["motd"], []], 0),
        ("motd", [["motd"], ["motd"]], 1),
        ("etc", [["etc/"], ["etc/", "etc/motd"]], 1),
        ("etc/motd", [["etc/", "etc/motd"], ["etc/", "etc/motd"], ["etc/", "etc/hosts"]], 1),
        ("absent", [["motd"], ["etc/"]], None),
    ],
    "whiteout": [
        ("motd", [["motd"], [".wh.motd"]], None),
        ("hosts", [["motd", "hosts"], [".wh.motd"]], 0),
        ("motd", [["motd"], ["motd"], [".wh.hosts"]], 1),
        ("etc/motd", [["etc/", "etc/motd"], ["etc/", "etc/.wh.motd"]], None),
        ("etc/motd", [["etc/", "etc/motd"], [".wh.motd"]], 0),
    ],
    "whiteout-scope": [
        ("motd", [["motd"], [".wh.motd"], ["motd"]], 2),
        ("motd", [["motd"], ["motd", ".wh.motd"]], 1),
        ("motd", [[".wh.motd"], ["motd"]], 1),
        ("etc/motd", [["etc/", "etc/motd"], [".wh.etc"], ["etc/", "etc/motd"], []], 2),
    ],
    "opaque": [
        ("app/old", [["app/", "app/old"], ["app/", "app/.wh..wh..opq"]], None),
        ("app", [["app/", "app/old"], ["app/", "app/.wh..wh..opq"]], 1),
        ("app/a/b", [["app/", "app/a/", "app/a/b"], ["app/", "app/.wh..wh..opq"]], None),
        ("old", [["old", "app/"], ["app/", "app/.wh..wh..opq"]], 0),
        ("old", [["old"], [".wh..wh..opq"]], None),
    ],
    "opaque-own-layer": [
        ("app/new", [["app/"], ["app/", "app/.wh..wh..opq", "app/new"]], 1),
        ("app/new", [["app/", "app/new"], ["app/", "app/.wh..wh..opq"], ["app/", "app/new"]], 2),
        ("app/d/f", [["app/"], ["app/", "app/.wh..wh..opq", "app/d/", "app/d/f"]], 1),
    ],
    "ancestors": [
        ("a/b/c", [["a/", "a/b/", "a/b/c"], [".wh.a"]], None),
        ("a/b/c", [["a/", "a/b/", "a/b/c"], ["a/", "a/.wh.b"]], None),
        ("a/b/c", [["a/", "a/b/", "a/b/c"], [".wh.a"], ["a/", "a/b/"]], None),
        ("a/b", [["a/", "a/b/", "a/b/c"], [".wh.a"], ["a/", "a/b/"]], 2),
        ("a/b/c", [["a/", "a/b/"], ["a/", "a/b/", "a/b/c"], ["a/", "a/.wh.c"]], 1),
    ],
    "exact-name": [
        ("da", [["d", "da"], [".wh.d"]], 0),
        ("d2/f", [["d2/", "d2/f"], [".wh.d"]], 0),
        ("d", [["d", "da"], [".wh.da"]], 0),
        ("da", [["d"], ["d", "da"], [".wh.d"]], 1),
        ("x/data", [["x/", "x/data", "x/da"], ["x/", "x/.wh.da"]], 0),
    ],
    "file-over-directory": [
        ("d/f", [["d/", "d/f"], ["d"]], None),
        ("d", [["d/", "d/f"], ["d"]], 1),
        ("d/f", [["d/", "d/f"], ["d"], ["d/"]], None),
        ("d/g/h", [["d/", "d/g/", "d/g/h"], ["d/", "d/g"]], None),
    ],
}

NAMES = ("a", "b", "ab", "d", "da")


def cases(seed: str) -> Iterator[Case]:
    """All cases for one learner: the directed ones, then 60 random stacks."""
    for group, rows in DIRECTED.items():
        for path, layers, answer in rows:
            yield Case(group, args=(path, layers), expected=answer)
    dice = random.Random(seed)
    for _ in range(60):
        layers = [random_layer(dice) for _ in range(dice.randint(3, 5))]
        path = random_path(dice, layers)
        yield Case("any-stack", args=(path, layers), expected=answer_of_the_union(path, layers))


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


def answer_of_the_union(path: str, layers: list[list[str]]) -> int | None:
    """What the simulated overlay answers, itself held against the kernel."""
    union = mount(lowers=[as_mounted(names) for names in layers], upper=Layer())
    return union.explain("/" + path).answered_by


def as_mounted(names: list[str]) -> Layer:
    """The layer whose tar holds ``names``, as the union wants it (image-spec layer.md, "Whiteouts")."""
    tree: dict[str, File | Dir | object] = {}
    for name in names:
        above, _, leaf = name.rstrip("/").rpartition("/")
        if leaf == OPAQUE_MARK:
            continue
        if leaf.startswith(WHITEOUT_PREFIX):
            hidden = (above + "/" if above else "") + leaf.removeprefix(WHITEOUT_PREFIX)
            if hidden not in names and hidden + "/" not in names:
                tree["/" + hidden] = WHITEOUT
        elif name.endswith("/"):
            replaced = (above + "/" if above else "") + WHITEOUT_PREFIX + leaf in names
            tree["/" + name[:-1]] = Dir(opaque=replaced or name + OPAQUE_MARK in names)
        else:
            tree["/" + name] = File("")
    return layer(tree)
