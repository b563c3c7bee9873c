"""Random stacks of layers, and writing one to a real directory or to a model's layer by the same calls."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

NAMES: Final = ("a", "b", "c", "d", "e", "f", "g", ".wh.a", "\udcff", "L" * 255)
"""Few, so that they collide; one that OCI reads as a whiteout, one that is not UTF-8, one of the longest."""
OLD_NS: Final = tuple(10**9 * second + 123456789 for second in (1, 86400, 10**9, 1_234_567_890))
UIDS: Final = (0, 0, 1000, 1000, 1001, 1002)
GIDS: Final = (0, 0, 1000, 5, 7, 100)
DIRECTORY_MODES: Final = (
    0o755,
    0o755,
    0o777,
    0o777,
    0o777,
    0o1777,
    0o2777,
    0o2755,
    0o700,
    0o711,
    0o3777,
    0o555,
    0o744,
)
FILE_MODES: Final = (
    0o644,
    0o644,
    0o666,
    0o666,
    0o600,
    0o4755,
    0o2755,
    0o6777,
    0o640,
    0o000,
    0o1666,
    0o2644,
    0o777,
)
CONTENTS: Final = (
    b"",
    b"x",
    b"data",
    b"hello\n" * 20,
    b"p" * 4096,
    bytes(5000),
    b"q" * 4095 + bytes(4097) + b"end",
)
TARGETS: Final = ("a", "b", "/a", "/b/c", "..", "../a", ".", "a/b", "/", "c", "d", "nowhere", "L" * 200, "a/")
DEVICE: Final = os.makedev(240, 7)


class Entry(NamedTuple):
    """One name of a layer, as it will be made."""

    path: str
    kind: str
    """directory, file, symlink, hardlink, fifo, socket, device, block or whiteout"""
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    xattrs: tuple[tuple[str, bytes], ...] = ()
    body: Any = None


_WEIGHTS: Final = {
    "directory": 42,
    "file": 26,
    "symlink": 9,
    "hardlink": 8,
    "whiteout": 9,
    "fifo": 2,
    "socket": 1,
    "device": 1,
    "block": 1,
}


def random_root(rng: random.Random) -> Entry:
    """The root of a layer or of an upper."""
    mode = rng.choice((0o755, 0o777, 0o777, 0o777, 0o1777, 0o2777))
    return Entry("/", "directory", mode, rng.choice((0, 0, 1000)), rng.choice(GIDS), rng.choice(OLD_NS))


DATA: Final = (b"/a", b"/b", b"/c", b"/a/b", b"/b/c", b"/c/a", b"/nowhere")


def _point(rng: random.Random, prefix: str, entry: Entry) -> Entry:
    """The entry, perhaps as a file whose content lies in a data-only layer."""
    if entry.kind != "file" or rng.random() > 0.4:
        return entry
    marks = (prefix + "metacopy", b""), (prefix + "redirect", rng.choice(DATA))
    return entry._replace(xattrs=(*entry.xattrs, *marks), body=bytes(rng.choice((0, 1, 4, 4096, 5000))))


def random_layer(rng: random.Random, prefix: str, *, marks: float, points: bool = False) -> tuple[Entry, ...]:
    """A layer; ``marks`` is the probability of overlayfs' marks, ``prefix`` their namespace."""
    root = random_root(rng)
    if rng.random() < 0.1 * marks:
        root = root._replace(xattrs=((prefix + "opaque", b"y"),))
    entries = [root]
    directories, names = [""], {"/"}
    files: list[str] = []
    for _ in range(rng.randint(2, 16)):
        parent = rng.choice(directories)
        path = f"{parent}/{rng.choice(NAMES[:6] if rng.random() < 0.85 else NAMES)}"
        kind = rng.choices(tuple(_WEIGHTS), tuple(_WEIGHTS.values()))[0]
        if path in names or (kind == "directory" and parent.count("/") > 2):
            continue
        if (kind == "hardlink" and not files) or (kind == "whiteout" and rng.random() > marks):
            kind = "file"
        names.add(path)
        entry = _entry(rng, path, kind, files)
        if kind == "directory":
            directories.append(path)
            if rng.random() < 0.2 * marks:
                value = b"y" if rng.random() < 0.8 else b"x"
                entry = entry._replace(xattrs=(*entry.xattrs, (prefix + "opaque", value)))
        elif kind == "file":
            files.append(path)
            if entry.body == b"" and rng.random() < 0.4 * marks:
                entry = entry._replace(xattrs=((prefix + "whiteout", b""),))
        elif kind not in ("whiteout", "hardlink"):
            files.append(path)
        entries.append(_point(rng, prefix, entry) if points else entry)
    return tuple(entries)


def _entry(rng: random.Random, path: str, kind: str, files: Sequence[str]) -> Entry:
    modes = DIRECTORY_MODES if kind == "directory" else FILE_MODES
    body: Any = None
    if kind == "file":
        body = rng.choice(CONTENTS)
    elif kind == "symlink":
        body = rng.choice(TARGETS)
    elif kind == "hardlink":
        body = rng.choice(files)
    elif kind in ("device", "block"):
        body = DEVICE
    if kind in ("whiteout", "hardlink"):
        return Entry(path, kind, body=body)
    xattrs: list[tuple[str, bytes]] = []
    if kind in ("file", "directory") and rng.random() < 0.2:
        xattrs.append(("user.k", rng.choice((b"", b"v", b"w" * 100))))
    if rng.random() < 0.1:
        xattrs.append(("trusted.k", b"t"))
    owner = rng.choice(UIDS), rng.choice(GIDS)
    return Entry(path, kind, rng.choice(modes), *owner, rng.choice(OLD_NS), tuple(xattrs), body)


_TYPES: Final = {
    "fifo": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
    "device": stat.S_IFCHR,
    "block": stat.S_IFBLK,
}


def write(fs: Any, prefix: str, entries: Sequence[Entry], put: Callable[[str, bytes], None]) -> None:
    """Make the entries through ``fs`` (``os`` or a model's tree); ``put`` makes a file with content.

    Attributes are set in a second pass from the leaves up, so that no later entry moves a directory's time.
    An entry whose parent or link target is missing (the shrinker took it) is left out.
    """
    made: list[Entry] = []
    for entry in entries:
        try:
            _make(fs, prefix, entry, put)
        except (FileNotFoundError, NotADirectoryError, FileExistsError, PermissionError):
            continue
        made.append(entry)
    for entry in reversed(made):
        _dress(fs, prefix + entry.path, entry)


def _make(fs: Any, prefix: str, entry: Entry, put: Callable[[str, bytes], None]) -> None:
    path = prefix + entry.path
    match entry.kind:
        case "directory":
            if entry.path != "/":
                fs.mkdir(path, 0o700)
        case "file":
            put(path, entry.body)
        case "symlink":
            fs.symlink(entry.body, path)
        case "hardlink":
            fs.link(prefix + entry.body, path, follow_symlinks=False)
        case "whiteout":
            fs.mknod(path, stat.S_IFCHR, 0)
        case kind:
            fs.mknod(path, _TYPES[kind] | 0o600, entry.body or 0)


def _dress(fs: Any, path: str, entry: Entry) -> None:
    if entry.kind in ("hardlink", "whiteout"):
        return
    for name, value in entry.xattrs:
        fs.setxattr(path, name, value, follow_symlinks=False)
    fs.chown(path, entry.uid, entry.gid, follow_symlinks=False)
    if entry.kind != "symlink":
        fs.chmod(path, entry.mode)
    fs.utime(path, ns=(entry.mtime_ns, entry.mtime_ns), follow_symlinks=False)
