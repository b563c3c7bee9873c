"""Reading a whole tree, the same way on a real directory and on a tree of the model."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from .records import Classes, Record, content

PRESENCE = frozenset(
    f"{space}.overlay.{name}" for space in ("trusted", "user") for name in ("origin", "uuid")
)
"""Marks whose value is a file handle or random: only their presence is compared."""


class Tree(Protocol):
    """What a walk needs."""

    def lstat(self, path: str) -> Any: ...
    def listdir(self, path: str) -> list[str]: ...
    def readlink(self, path: str) -> str: ...
    def xattrs(self, path: str) -> dict[str, bytes]: ...
    def content(self, path: str) -> bytes: ...


class Node(NamedTuple):
    """One name of a tree with everything that is compared."""

    record: Record | None
    xattrs: tuple[tuple[str, bytes], ...]
    body: bytes | str | None
    """Content or target; an errno's text where the name cannot be looked up (OVERLAY row 5)."""


class HostTree:
    """A real directory; ``prefix`` is put before every path."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix

    def lstat(self, path: str) -> os.stat_result:
        return os.lstat(self._prefix + path)

    def listdir(self, path: str) -> list[str]:
        return os.listdir(self._prefix + path)

    def readlink(self, path: str) -> str:
        return os.readlink(self._prefix + path)

    def xattrs(self, path: str) -> dict[str, bytes]:
        path = self._prefix + path
        found = {}
        for name in os.listxattr(path, follow_symlinks=False):
            try:
                found[name] = os.getxattr(path, name, follow_symlinks=False)
            except OSError as error:
                if error.errno != errno.EINVAL:  # capabilities that are none
                    raise
        return found

    def content(self, path: str) -> bytes:
        descriptor = os.open(self._prefix + path, os.O_RDONLY | os.O_NOATIME | os.O_NOFOLLOW)
        try:
            return os.read(descriptor, 1 << 22)
        finally:
            os.close(descriptor)


def _node(tree: Tree, path: str, classes: Classes) -> tuple[Node, bool]:
    try:
        st = tree.lstat(path)
    except OSError as error:
        return Node(None, (), os.strerror(error.errno or 0)), False
    kind = stat.S_IFMT(st.st_mode)
    if kind == stat.S_IFCHR and st.st_rdev == 0:
        # Whiteouts share inodes as the kernel sees fit, and their time is that of the shared inode.
        return Node(Record(st.st_mode, -1, -1, 0, st.st_uid, st.st_gid, 0, 0, 0, 0, None), (), None), False
    body: bytes | str | None = None
    try:
        if kind == stat.S_IFREG:
            body = content(tree.content(path))
        elif kind == stat.S_IFLNK:
            body = tree.readlink(path)
        marks = tree.xattrs(path)
    except OSError as error:
        return Node(classes.record(st), (), f"unreadable: {os.strerror(error.errno or 0)}"), False
    xattrs = tuple((name, b"" if name in PRESENCE else value) for name, value in sorted(marks.items()))
    return Node(classes.record(st), xattrs, body), kind == stat.S_IFDIR


def walk(tree: Tree, classes: Classes, top: str = "/") -> Iterator[tuple[str, Node]]:
    """Every name of the tree in sorted order, the root first."""
    node, is_directory = _node(tree, top, classes)
    names: list[str] = []
    if is_directory:
        try:
            names = sorted(tree.listdir(top))
        except OSError as error:
            node = node._replace(body=f"unlistable: {os.strerror(error.errno or 0)}")
    yield top, node
    for name in names:
        yield from walk(tree, classes, f"{top.rstrip('/')}/{name}")


def differences(kernel: Mapping[str, Node], model: Mapping[str, Node]) -> list[tuple[str, str]]:
    """Where two walks differ: the path and the difference as ``kernel/model``."""
    found: list[tuple[str, str]] = []
    if kernel == model:
        return found
    for path in sorted(kernel.keys() | model.keys()):
        mine, theirs = kernel.get(path), model.get(path)
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            found.append((path, f"only in the {'model' if mine is None else 'kernel'}: {mine or theirs}"))
            continue
        parts = []
        if mine.record and theirs.record and mine.record != theirs.record:
            parts.append(mine.record.differences(theirs.record))
        elif mine.record != theirs.record:
            parts.append(f"lookup {mine.record}/{theirs.record}")
        if mine.xattrs != theirs.xattrs:
            parts.append(f"xattrs {dict(mine.xattrs)}/{dict(theirs.xattrs)}")
        if mine.body != theirs.body:
            parts.append(f"content {mine.body!r:.80}/{theirs.body!r:.80}")
        found.append((path, "; ".join(parts)))
    return found
