"""Exercise 2.1: what a few commands leave in the upper layer; every key is what the simulation did."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from course.check import Question, Text
from course.problems.listing import entries, stacked, visible
from course.problems.operations import replay
from course.problems.stacks import fresh, random_lowers, random_operations
from unionfs_sim import Layer, layer

BASE = [
    layer(
        {"/etc/motd": "hello\n", "/etc/hosts": "localhost\n", "/srv/a.txt": "a\n", "/srv/sub/b.txt": "b\n"}
    ),
    layer({"/etc/app.conf": "debug\n", "/srv/c.txt": "c\n"}),
]
DIRECTED = {
    "copy-up": ["chmod 600 /etc/motd", "echo more >> /srv/sub/b.txt"],
    "whiteout": ["rm /etc/hosts", "rm -r /srv"],
    "upper-only": ["echo hi > /etc/new", "mkdir /etc/app", "rm /etc/new", "rm -r /etc/app"],
    "opaque": ["rm -r /srv", "mkdir /srv", "echo new > /srv/d.txt"],
}
CAUSES = ("whiteout", "in-place", "copied-out", "layer-edited")


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    for group, lines in DIRECTED.items():
        yield upper(group, group, BASE, lines)
    lowers = random_lowers(dice)
    lines = random_operations(dice, lowers, 6)
    yield upper("any-upper", "any-upper", lowers, lines)
    yield ls("any-ls", lowers, lines)
    yield why(dice)


def upper(name: str, group: str, lowers: Sequence[Layer], lines: Sequence[str]) -> Question:
    union = fresh(lowers)
    replay(union, lines)
    assert union.upper is not None
    key = entries(union.upper)
    return Question(
        name,
        group,
        Text("questions.upper"),
        dict[str, str],
        {"/etc": "dir", "/etc/motd": "file", "/etc/hosts": "whiteout"},
        shown=told(lowers, lines),
        key=key,
        shows={
            "deletes-vanish": {path: kind for path, kind in key.items() if kind != "whiteout"},
            "opaque": {path: kind.removeprefix("opaque ") for path, kind in key.items()},
            "parents": {path: kind for path, kind in key.items() if kind != "dir"},
        }
        if key
        else {"nothing": {"/etc": "dir"}},
        given={"lowers": lowers, "lines": list(lines)},
    )


def ls(name: str, lowers: Sequence[Layer], lines: Sequence[str]) -> Question:
    union = fresh(lowers)
    replay(union, lines)
    return Question(
        name,
        "any-upper",
        Text("questions.ls"),
        list[str],
        ["/etc", "/etc/motd"],
        shown=told(lowers, lines),
        key=visible(union),
        given={"lowers": lowers, "lines": list(lines)},
    )


def told(lowers: Sequence[Layer], lines: Sequence[str]) -> str:
    return stacked(lowers) + "\n\n" + "\n".join(f"$ {line}" for line in lines)


def why(dice: random.Random) -> Question:
    path = dice.choice(["/etc/hosts", "/etc/motd", "/srv/a.txt"])
    lines = [f"rm {path}"]
    return Question(
        "why",
        "why",
        Text("questions.why", {"path": path}),
        shown=told(BASE, lines),
        key="causes.whiteout",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(CAUSES, 4)],
        shows={
            "shrinks": "causes.in-place",
            "copies-to-delete": "causes.copied-out",
            "edits-the-image": "causes.layer-edited",
        },
        given={"lowers": BASE, "lines": lines},
    )
