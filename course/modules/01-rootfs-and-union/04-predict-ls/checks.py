"""Exercise 1.4: what a process sees of a stack without marks; all keys are what the union shows."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from course.check import Question, Text
from course.problems.listing import stacked, visible
from course.problems.stacks import LEAVES, NAMES, fresh
from unionfs_sim import Layer, layer

CAUSES = ("topmost", "bottom", "newest", "largest")


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    for number in range(2):
        yield names(f"ls-{number + 1}", stack(dice))
    for number in range(2):
        yield order(dice, f"cat-{number + 1}", stack(dice))
    lowers = stack(dice)
    yield count("count-1", lowers)
    yield count("count-2", covered(dice, lowers))
    yield why(dice, stack(dice))


def stack(dice: random.Random) -> list[Layer]:
    """Three layers, base first, that have a path in common; each file says which layer it is from."""
    common = f"/{dice.choice(NAMES)}/{dice.choice(LEAVES)}"
    tops = [common.split("/")[1], *dice.sample(NAMES, 2)]
    layers = []
    for number in range(3):
        paths = {common} if number != 1 or dice.random() < 0.5 else set()
        paths |= {f"/{dice.choice(tops)}/{dice.choice(LEAVES)}" for _ in range(dice.randint(1, 2))}
        layers.append(layer(dict.fromkeys(sorted(paths), f"layer {number}\n")).freeze())
    return layers


def covered(dice: random.Random, lowers: Sequence[Layer]) -> list[Layer]:
    """The stack with a file on top in the place of a directory."""
    name = dice.choice([path for path in visible(fresh(lowers)) if path.count("/") == 1])
    return [*lowers, layer({name: f"layer {len(lowers)}\n"}).freeze()]


def names(name: str, lowers: Sequence[Layer]) -> Question:
    return Question(
        name,
        "names",
        Text("questions.names"),
        list[str],
        ["/etc", "/etc/motd"],
        shown=stacked(lowers),
        key=visible(fresh(lowers)),
        given={"lowers": lowers},
        shows={"only-top": paths(lowers[-1:])},
    )


def paths(lowers: Sequence[Layer]) -> list[str]:
    return visible(fresh(lowers))


def order(dice: random.Random, name: str, lowers: Sequence[Layer]) -> Question:
    path = dice.choice(contested(lowers))
    holders = [number for number, each in enumerate(lowers) if path in paths([each])]
    key = int(fresh(lowers).read_bytes(path).split()[1])
    return Question(
        name,
        "order",
        Text("questions.order", {"path": path}),
        int,
        0,
        shown=stacked(lowers),
        key=key,
        given={"lowers": lowers, "holders": holders},
        shows={"bottom": holders[0]},
    )


def contested(lowers: Sequence[Layer]) -> list[str]:
    """The files that more than one layer has."""
    seen = [path for each in lowers for path in paths([each]) if path.count("/") == 2]
    return sorted({path for path in seen if seen.count(path) > 1})


def count(name: str, lowers: Sequence[Layer]) -> Question:
    union = fresh(lowers)
    key = sum(len(files) for _, _, files in union.walk("/"))
    every = sum(len(files) for each in lowers for _, _, files in fresh([each]).walk("/"))
    return Question(
        name,
        "hidden",
        Text("questions.count"),
        int,
        3,
        shown=stacked(lowers),
        key=key,
        given={"lowers": lowers, "every": every},
        shows={"counts-hidden": every},
    )


def why(dice: random.Random, lowers: Sequence[Layer]) -> Question:
    path = dice.choice(contested(lowers))
    return Question(
        "why",
        "why",
        Text("questions.why", {"path": path}),
        shown=stacked(lowers),
        key="causes.topmost",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(CAUSES, 4)],
        shows={"bottom": "causes.bottom", "by-time": "causes.newest", "by-size": "causes.largest"},
        given={"lowers": lowers},
    )
