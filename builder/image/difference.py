"""How two trees differ, path by path: what ``layerlab image diff`` prints."""

from __future__ import annotations

import enum
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.inode import Inode


class Change(enum.Enum):
    """What happened to a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One path that differs; ``details``: the attributes that do, where it is in both trees."""

    path: str
    change: Change
    size_before: int
    size_after: int
    details: tuple[str, ...] = ()


def differences(before: Layer, after: Layer) -> list[Difference]:
    """What must happen to the tree ``before`` to become ``after``, sorted by path. Times do not count."""
    old, new = dict(before.inodes()), dict(after.inodes())
    found = []
    for path in sorted(old.keys() | new.keys(), key=lambda path: path.split("/")):
        one, two = old.get(path), new.get(path)
        if one is None or two is None:
            change = Change.ADDED if one is None else Change.REMOVED
            found.append(Difference(path, change, _size(one), _size(two)))
        elif details := tuple(_details(one, two)):
            found.append(Difference(path, Change.CHANGED, _size(one), _size(two), details))
    return found


def _size(inode: Inode | None) -> int:
    return 0 if inode is None else inode.content.size


def _details(one: Inode, two: Inode) -> Iterator[str]:
    if stat.S_IFMT(one.mode) != stat.S_IFMT(two.mode):
        yield f"type {stat.filemode(one.mode)[0]} → {stat.filemode(two.mode)[0]}"
        return
    if one.mode != two.mode:
        yield f"mode {stat.S_IMODE(one.mode):04o} → {stat.S_IMODE(two.mode):04o}"
    if (one.uid, one.gid) != (two.uid, two.gid):
        yield f"owner {one.uid}:{one.gid} → {two.uid}:{two.gid}"
    if one.body != two.body:
        if one.target or two.target:
            yield f"target {one.target} → {two.target}"
        else:
            yield "content" if one.rdev == two.rdev else "device number"
    if one.xattrs != two.xattrs:
        yield "xattrs"
