"""Exercise 2.6: renames and hard links across layers; every key is what the union did."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator, Sequence

from course.check import Question, Text
from course.problems.operations import run
from unionfs_sim import File, Hardlink, Layer, Options, RedirectDir, Union, layer, mount
from unionfs_sim.events import CopiedUp

OFF, ON, INDEX = (
    Options(),
    Options(redirect_dir=RedirectDir.ON),
    Options(index=True),
)
SPELT = {
    OFF: "redirect_dir=off,index=off",
    ON: "redirect_dir=on,index=off",
    INDEX: "redirect_dir=off,index=on",
}
LINK_CAUSES = ("copy-up-breaks", "append-makes-new", "links-across", "whiteout-cuts")
RENAME_CAUSES = ("children-elsewhere", "two-disks", "read-only", "too-large")


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    size = dice.randrange(200, 3000)
    one, two = dice.sample(("app", "data", "srv", "logs"), 2)
    lower = layer(
        {f"/{one}/big": File("x" * size), f"/{one}/small": "x" * 40, "/note": "y" * (size % 90 + 10)}
    )
    move = f"mv /{one} /{two}"
    yield outcome("rename-dir", lower, OFF, [move])
    yield outcome("rename-redirect", lower, ON, [move])
    yield outcome(
        "rename-new-dir", lower, OFF, ["mkdir /fresh", f"mv /{one}/small /fresh/small", "mv /fresh /kept"]
    )
    yield outcome("rename-file", lower, OFF, [f"mv /{one}/big /{one}/old"])
    yield copied("cost-file", lower, OFF, [f"mv /{one}/big /{one}/old"])
    yield copied("cost-dir", lower, ON, [move])
    yield copied("cost-twice", lower, OFF, ["chmod 600 /note", "mv /note /note.1", "echo more >> /note.1"])
    linked = layer({f"/{one}/a": File("x" * size), f"/{one}/b": Hardlink(f"/{one}/a")})
    append = f"echo {'y' * dice.randrange(3, 9)} >> /{one}/a"
    yield size_after("link-size", linked, OFF, append, f"/{one}/b")
    yield counts("link-counts", linked, OFF, append, [f"/{one}/a", f"/{one}/b"])
    yield size_after("link-index", linked, INDEX, append, f"/{one}/b")
    yield why(dice, "why-link", linked, [append], LINK_CAUSES, f"/{one}/b")
    yield why(dice, "why-rename", lower, [move], RENAME_CAUSES, f"/{one}")


def fresh(lower: Layer, options: Options) -> Union:
    return mount([lower], Layer(), options=options)


def told(lower: Layer, options: Options, lines: Sequence[str]) -> str:
    """The mount, the lower layer with sizes and links, and what is done."""
    files = []
    for path, inode in sorted(lower.inodes()):
        if not inode.is_dir:
            links = f"  {inode.nlink} links" if inode.nlink > 1 else ""
            files.append(f"  {path}  {inode.content.size} B{links}")
    return "\n".join([f"mount -o {SPELT[options]}", "lower 0:", *files, "", *(f"$ {line}" for line in lines)])


def outcome(name: str, lower: Layer, options: Options, lines: Sequence[str]) -> Question:
    union = fresh(lower, options)
    for line in lines[:-1]:
        run(union, line)
    try:
        run(union, lines[-1])
        key = "works"
    except OSError as error:
        key = errno.errorcode[error.errno]
    return Question(
        name,
        "exdev",
        Text("questions.outcome"),
        str,
        "EXDEV",
        shown=told(lower, options, lines),
        key=key,
        shows={"rename-is-free": "works"} if key == "EXDEV" else {"never": "EXDEV"},
        given={"options": SPELT[options]},
    )


def copied(name: str, lower: Layer, options: Options, lines: Sequence[str]) -> Question:
    union = fresh(lower, options)
    sizes: list[int] = []
    union.events.subscribe(
        lambda event: sizes.append(event.size_bytes) if isinstance(event, CopiedUp) else None
    )
    for line in lines:
        run(union, line)
    every = sum(inode.content.size for _, inode in lower.inodes() if not inode.is_dir)
    key = sum(sizes)
    return Question(
        name,
        "cost",
        Text("questions.copied"),
        int,
        100,
        shown=told(lower, options, lines),
        key=key,
        shows={"free": 0} if key else {},
        given={"every": every},
    )


def size_after(name: str, lower: Layer, options: Options, line: str, path: str) -> Question:
    union = fresh(lower, options)
    before = union.lstat(path).st_size
    run(union, line)
    key = union.lstat(path).st_size
    after = before + len(line.split()[1]) + 1
    return Question(
        name,
        "links",
        Text("questions.size", {"path": path}),
        int,
        100,
        shown=told(lower, options, [line]),
        key=key,
        shows={"survives": after} if key == before else {"index": before},
        given={"before": before, "after": after},
    )


def counts(name: str, lower: Layer, options: Options, line: str, paths: Sequence[str]) -> Question:
    union = fresh(lower, options)
    run(union, line)
    key = [union.lstat(path).st_nlink for path in paths]
    return Question(
        name,
        "links",
        Text("questions.counts", {"one": paths[0], "two": paths[1]}),
        list[int],
        [1, 2],
        shown=told(lower, options, [line]),
        key=key,
        shows={"survives": [2, 2], "both-alone": [1, 1]},
        given={},
    )


def why(
    dice: random.Random, name: str, lower: Layer, lines: Sequence[str], causes: Sequence[str], path: str
) -> Question:
    return Question(
        name,
        "why",
        Text(f"questions.{name}", {"path": path}),
        shown=told(lower, OFF, lines),
        key=f"causes.{causes[0]}",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(list(causes), 4)],
        shows={cause: f"causes.{cause}" for cause in causes[1:]},
        given={},
    )
