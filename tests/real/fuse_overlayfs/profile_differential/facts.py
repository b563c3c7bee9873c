"""What tells one profile from another: small experiments, each the same on every side."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from differential.bench import WHITEOUT, Bench, Layer, directory, fifo, hardlink, marked_file, symlink
from differential.stacks import Entry

Look = Callable[[Bench], object]


class Fact(NamedTuple):
    """One experiment: the layers (base first), what is done, and in which words the answer is told."""

    sentence: str
    lowers: tuple[Layer, ...]
    look: Look
    is_followed: bool = True
    """Whether the model does as fuse-overlayfs; if not, it is an accident of that program."""


BASE: Final[Layer] = {
    "/f": "data",
    "/h": hardlink("/f"),
    "/s": symlink("f"),
    "/d/x": "x",
    "/d/e/y": "y",
    "/p/q/r": "r",
}
OCI: Final[Layer] = {"/.wh.f": "", "/d/.wh..wh..opq": "", "/d/new": "new"}


def told(bench: Bench, verb: str, *args: Any, caller: int = 0) -> str:
    """The outcome of a call in one word."""
    try:
        value = bench.do(verb, *args, caller=caller)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    if value is None:
        return "ok"
    if isinstance(value, list):
        return ",".join(value)
    return value.decode() if isinstance(value, bytes) else str(value)


def upper(bench: Bench) -> str:
    """What lies in the upper: path:type, and the marks."""
    found = []
    for path, kind in bench.upper().items():
        marks = bench.marks(path) if kind in "fd" else {}
        marks = {k: v for k, v in marks.items() if not k.endswith((".origin", ".impure", ".uuid"))}
        found.append(f"{path}:{kind}" + "".join(f"{{{k}={v.decode()}}}" for k, v in sorted(marks.items())))
    return " ".join(found) or "empty"


def done(*calls: tuple[Any, ...]) -> Look:
    """The outcomes of calls that are not ok, then the upper."""

    def look(bench: Bench) -> str:
        words = [told(bench, *call) for call in calls]
        return " ".join([*(word for word in words if word != "ok"), upper(bench)])

    return look


def answers(*calls: tuple[Any, ...]) -> Look:
    """The outcomes of calls."""
    return lambda bench: " ".join(told(bench, *call) for call in calls)


def links(*paths: str) -> Look:
    """Link counts."""
    return lambda bench: " ".join(str(bench.do("lstat", path).nlink) for path in paths)


def settable(*names: str) -> Look:
    """What setting each xattr of /f answers, then what is listed."""

    def look(bench: Bench) -> str:
        words = [f"{name} {told(bench, 'setxattr', '/f', name, b'1', 0, True)}" for name in names]
        return ", ".join(words) + "; listed: " + told(bench, "listxattr", "/f", True)

    return look


def marked(mark: str) -> Layer:
    """A layer whose directory d bears an opaque mark."""
    return {"/d": directory(marks={mark: b"y"}), "/d/new": "1"}


MAKE: Final = ("mkdir", "/n", 0o755)
FACTS: Final = (
    Fact(
        "link counts of the root, a merged directory, a lower one",
        ({"/d/a/b": "1"}, {"/d/c": "2"}, BASE),
        links("/", "/d", "/p"),
    ),
    Fact("a lower name is removed", (BASE,), done(("unlink", "/d/x"))),
    Fact(
        "a lower directory is removed",
        (BASE,),
        done(("unlink", "/p/q/r"), ("rmdir", "/p/q"), ("rmdir", "/p")),
    ),
    Fact("a removed name is made again", (BASE,), done(("unlink", "/s"), ("write_file", "/s", b"1", 0o644))),
    Fact(
        "a directory over a whiteout", ({"/d": directory()},), done(("rmdir", "/d"), ("mkdir", "/d", 0o755))
    ),
    Fact("a new directory in a merged one, and one in that", (BASE,), done(MAKE, ("mkdir", "/n/m", 0o755))),
    Fact("a new file is removed", (BASE,), done(("write_file", "/z", b"1", 0o644), ("unlink", "/z"))),
    Fact("a new directory is removed", (BASE,), done(MAKE, ("rmdir", "/n"))),
    Fact("a lower directory is renamed", (BASE,), done(("rename", "/d", "/dd"))),
    Fact(
        "a merged directory is renamed",
        (BASE,),
        done(("write_file", "/d/k", b"1", 0o644), ("rename", "/d", "/dd")),
    ),
    Fact("a new directory is renamed", (BASE,), done(MAKE, ("rename", "/n", "/nn"))),
    Fact(
        "a new directory onto an emptied one",
        (BASE,),
        done(MAKE, ("unlink", "/p/q/r"), ("rename", "/n", "/p/q")),
    ),
    Fact("a lower file is renamed", (BASE,), done(("rename", "/d/x", "/g"))),
    Fact("a lower file onto another", (BASE,), done(("rename", "/s", "/d/x"))),
    Fact("a file and a lower directory are exchanged", (BASE,), done(("renameat2", "/d/x", "/p", 2))),
    Fact("RENAME_WHITEOUT", (BASE,), done(("renameat2", "/d/x", "/g", 4))),
    Fact("open for writing, no write", (BASE,), done(("open", 0, "/d/x", os.O_WRONLY, 0))),
    Fact("chmod to the same mode", (BASE,), done(("chmod", "/d/x", 0o644))),
    Fact("an absent attribute is removed", (BASE,), done(("removexattr", "/d/x", "user.k", True))),
    Fact(
        "hard links f and h: f is written, h read",
        (BASE,),
        answers(("write_file", "/f", b"new", 0o644), ("read_file", "/h")),
    ),
    Fact("a layer in the spelling of OCI", (BASE, OCI), answers(("listdir", "/"), ("listdir", "/d"))),
    Fact("its directory is removed", (BASE, OCI), done(("unlink", "/d/new"), ("rmdir", "/d"))),
    Fact("trusted.overlay.opaque", (BASE, marked("trusted.overlay.opaque")), answers(("listdir", "/d"))),
    Fact("user.overlay.opaque", (BASE, marked("user.overlay.opaque")), answers(("listdir", "/d"))),
    Fact(
        "user.fuseoverlayfs.opaque", (BASE, marked("user.fuseoverlayfs.opaque")), answers(("listdir", "/d"))
    ),
    Fact(
        "an opaque marker in the root of a layer",
        (BASE, {"/.wh..wh..opq": "", "/new": "1"}),
        answers(("listdir", "/")),
    ),
    Fact(
        "a whiteout that is a file with an attribute",
        (BASE, {"/s": marked_file({"trusted.overlay.whiteout": b""})}),
        answers(("readlink", "/s"), ("listdir", "/")),
    ),
    Fact(
        "a redirect",
        (BASE, {"/D": directory(marks={"trusted.overlay.redirect": b"d"})}),
        answers(("listdir", "/D")),
    ),
    Fact("a whiteout over nothing is listed", (BASE, {"/n/z": WHITEOUT}), answers(("listdir", "/n"))),
    Fact("a device 0:0 is made", (BASE,), done(("mknod", "/w", stat.S_IFCHR, 0))),
    Fact(
        "names of 251 and 252 bytes",
        (BASE,),
        answers(("mkdir", "/" + "n" * 251, 0o755), ("mkdir", "/" + "n" * 252, 0o755)),
    ),
    Fact("O_TMPFILE", (BASE,), answers(("open", 0, "/", os.O_TMPFILE | os.O_RDWR, 0o644))),
    Fact(
        "attributes that may be set",
        (BASE,),
        settable("trusted.overlay.x", "user.overlay.x", "user.fuseoverlayfs.x", "user.k"),
    ),
    Fact(
        "read through a descriptor from before the copy-up",
        (BASE,),
        answers(("open", 0, "/f", os.O_RDONLY, 0), ("write_file", "/f", b"NEW", 0o644), ("pread", 0, 10, 0)),
    ),
    Fact(
        "a lower socket changes its mode", ({"/k": Entry("", "socket", 0o644)},), done(("chmod", "/k", 0o600))
    ),
    Fact("a lower fifo is renamed, and is then", ({"/k": fifo()},), done(("rename", "/k", "/l"))),
    Fact("one of two hard links is removed", (BASE,), done(("unlink", "/f")), is_followed=False),
    Fact(
        "names that begin with .wh. are made: file, directory, link",
        (BASE,),
        answers(
            ("write_file", "/.wh.a", b"", 0o644), ("mkdir", "/.wh.a", 0o755), ("link", "/f", "/.wh.f", False)
        ),
        is_followed=False,
    ),
    Fact("the longest name by statvfs", (BASE,), answers(("statvfs", "/")), is_followed=False),
    Fact(
        "a lower symlink below a directory: names",
        ({"/o/secret": "1", "/d": symlink("o")}, {"/d/new": "1"}),
        answers(("listdir", "/d")),
        is_followed=True,
    ),
)
