"""Exercise 7.3: no key is right by itself; what counts is which steps share one, and the builder says that.

Two steps share a key exactly if the builder, after it built the first, finds the second in its cache.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Talk, call, different_answers, same_answers
from course.problems.steps import PARENTS, share_a_layer

COPY = {
    "parent": "alpine",
    "instruction": "COPY",
    "arguments": "src/ /app/",
    "variables": {"VERSION": "1"},
    "files": [
        {"path": "src/main.c", "mode": 0o644, "mtime": 1700000000, "content": "int main;"},
        {"path": "src/run.sh", "mode": 0o755, "mtime": 1700000000, "content": "echo"},
    ],
}
RUN = {
    "parent": "alpine",
    "instruction": "RUN",
    "arguments": "echo make",
    "variables": {"VERSION": "1"},
    "files": [],
}


def cases(seed: str) -> Iterator[Talk]:
    """The directed relations, then random edits of random steps."""
    yield relation("content", COPY, COPY)
    yield relation("content", RUN, RUN)
    yield relation("content", COPY, with_file(COPY, 0, content="int x;"))
    yield relation("content", COPY, with_file(COPY, 0, content="int mein;"), "size")
    yield relation("content", COPY, {**COPY, "arguments": "src/ /srv/"}, "instruction")
    yield relation("content", RUN, {**RUN, "arguments": "echo test"}, "instruction")
    yield relation("content", COPY, {**COPY, "files": COPY["files"][:1]})
    yield relation("content", COPY, with_file(COPY, 0, path="src/mein.c"), "name")
    yield relation("touch", COPY, with_file(COPY, 0, mtime=1700009999))
    yield relation("touch", COPY, with_file(with_file(COPY, 0, mtime=1), 1, mtime=2))
    yield relation("mode", COPY, with_file(COPY, 0, mode=0o755))
    yield relation("mode", COPY, with_file(COPY, 1, mode=0o700))
    yield relation("parent", COPY, {**COPY, "parent": "busybox"})
    yield relation("parent", RUN, {**RUN, "parent": "busybox"})
    yield relation("variables", RUN, {**RUN, "variables": {"VERSION": "2"}}, "run-sees")
    yield relation("variables", RUN, {**RUN, "variables": {}}, "run-sees")
    yield relation("variables", COPY, {**COPY, "variables": {"VERSION": "2"}}, "copy-sees-not")
    yield relation("variables", COPY, {**COPY, "variables": {"VERSION": "1", "DEBUG": "1"}}, "copy-sees-not")
    yield relation("boundaries", *shifted())
    yield relation("boundaries", *moved())
    yield relation(
        "boundaries", {**RUN, "variables": {"A": "1", "B": "2"}}, {**RUN, "variables": {"A": "1B=2"}}
    )
    dice = random.Random(seed)
    for _ in range(20):
        step = random_step(dice)
        yield relation("any-change", step, edited(dice, step))


def relation(group: str, one: dict, other: dict, because: str = "") -> Talk:
    """What the builder says of the two steps, as a talk."""
    kind = same_answers if share_a_layer(one, other) else different_answers
    return kind(group, call(one), call(other), because=because)


def with_file(step: dict, number: int, **changes: object) -> dict:
    files = [dict(file) for file in step["files"]]
    files[number].update(changes)
    return {**step, "files": files}


def shifted() -> tuple[dict, dict]:
    """A letter moves from the end of a name to the start of the content."""
    one = with_file({**COPY, "files": COPY["files"][:1]}, 0, path="src/ab", content="c")
    return one, with_file(one, 0, path="src/a", content="bc")


def moved() -> tuple[dict, dict]:
    """Two files swap what they hold."""
    first, second = (file["content"] for file in COPY["files"])
    return COPY, with_file(with_file(COPY, 0, content=second), 1, content=first)


def random_step(dice: random.Random) -> dict:
    files = [
        {
            "path": f"src/{name}",
            "mode": dice.choice((0o644, 0o755, 0o600)),
            "mtime": 1700000000 + dice.randrange(1000),
            "content": dice.choice(("a", "ab", "echo", "int x;")),
        }
        for name in sorted(dice.sample(("a.c", "b.c", "run.sh", "Makefile"), dice.randint(1, 3)))
    ]
    step = {**dice.choice((COPY, COPY, RUN)), "parent": dice.choice(PARENTS)}
    return {**step, "files": files if step["instruction"] == "COPY" else []}


def edited(dice: random.Random, step: dict) -> dict:
    """The step after one edit, or two."""
    for _ in range(dice.randint(1, 2)):
        number = dice.randrange(len(step["files"])) if step["files"] else None
        edits = [
            {**step, "variables": {"VERSION": dice.choice("123")}},
            {**step, "parent": dice.choice(PARENTS)},
        ]
        if number is not None:
            edits += [
                with_file(step, number, mtime=1700005000 + dice.randrange(1000)),
                with_file(step, number, mtime=1700005000 + dice.randrange(1000)),
                with_file(step, number, mode=dice.choice((0o644, 0o755))),
                with_file(step, number, content=dice.choice(("a", "ab", "echo"))),
            ]
        step = dice.choice(edits)
    return step
