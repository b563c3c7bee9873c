"""The questions of exercise 2.2: an upper is given; any operations that lead to it are right (by replay)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from course.check import Question, Text, Wrong
from course.problems.listing import entries, stacked
from course.problems.operations import LINES, NotAnOperationError, run
from course.problems.stacks import fresh, random_lowers, random_operations
from unionfs_sim import Layer, layer

BASE = [
    layer({"/etc/motd": "hello\n", "/etc/hosts": "localhost\n", "/srv/a.txt": "a\n", "/srv/b.txt": "b\n"}),
    layer({"/etc/app.conf": "debug\n", "/srv/sub/c.txt": "c\n"}),
]
DIRECTED = {
    "copy-up": ["chmod 600 /etc/motd", "echo more >> /srv/sub/c.txt"],
    "whiteout": ["rm /etc/hosts", "echo new > /srv/d.txt", "rm -r /srv/sub"],
    "opaque": ["rm -r /srv", "mkdir /srv", "echo fresh > /srv/new.txt"],
}
EXAMPLE = ["rm /etc/motd", "mkdir /tmp", "echo hello > /tmp/note"]


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    for group, lines in DIRECTED.items():
        yield question(group, group, BASE, lines)
    for number in range(2):
        lowers = random_lowers(dice)
        yield question(f"any-{number + 1}", "any-upper", lowers, random_operations(dice, lowers, 6))


def question(name: str, group: str, lowers: Sequence[Layer], lines: Sequence[str]) -> Question:
    wanted = after(lowers, lines)
    return Question(
        name,
        group,
        Text("questions.invert"),
        list[str],
        EXAMPLE,
        shown=stacked(lowers, wanted),
        judge=lambda answer: judged(answer, lowers, wanted),
        given={"lowers": lowers, "upper": wanted, "lines": list(lines)},
    )


def after(lowers: Sequence[Layer], lines: Sequence[str]) -> Layer:
    """The upper that ``lines`` leave."""
    union = fresh(lowers)
    for line in lines:
        run(union, line)
    assert union.upper is not None
    return union.upper


def judged(lines: list[str], lowers: Sequence[Layer], wanted: Layer) -> Wrong | None:
    """What differs between the wanted upper and the one that ``lines`` lead to."""
    if len(lines) > LINES:
        return Wrong("too-many", fields={"most": LINES})
    union = fresh(lowers)
    for line in lines:
        try:
            run(union, line)
        except NotAnOperationError:
            return Wrong("no-operation", shown=line)
        except OSError as error:
            return Wrong("fails", shown=f"{line}\n{error.strerror}")
    assert union.upper is not None
    return difference(entries(union.upper), entries(wanted))


def difference(got: dict[str, str], wanted: dict[str, str]) -> Wrong | None:
    """The first path, in order, at which two uppers differ, and the misconception that it betrays."""
    for path in sorted(got.keys() | wanted.keys()):
        have, want = got.get(path, "nothing"), wanted.get(path, "nothing")
        if have != want:
            return Wrong(because(have, want), Text("difference", {"path": path, "have": have, "want": want}))
    return None


def because(have: str, want: str) -> str:
    if want == "opaque dir":
        return "opaque-is-made-again" if have == "whiteout" else "opaque"
    if want == "whiteout":
        return "deletes-add"
    return "only-what-changes" if want == "nothing" else ""
