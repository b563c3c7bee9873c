"""Who is who: the names and numbers in the image's own /etc/passwd and /etc/group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from unionfs_sim.vfs.posix import Posix


class User(NamedTuple):
    """One line of /etc/passwd (passwd(5))."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str


class Group(NamedTuple):
    """One line of /etc/group (group(5))."""

    name: str
    gid: int
    members: tuple[str, ...]


def _records(fs: Posix, path: str, fields: int) -> Iterator[list[str]]:
    try:
        content = fs.read_bytes(path)
    except OSError:
        return
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        record = line.split(":")
        if len(record) >= fields and record[2].isdigit():
            yield record


def users(fs: Posix) -> list[User]:
    """The users of the image, in the file's order; none if there is no such file."""
    return [
        User(r[0], int(r[2]), int(r[3]), r[5], r[6]) for r in _records(fs, "/etc/passwd", 7) if r[3].isdigit()
    ]


def groups(fs: Posix) -> list[Group]:
    """The groups of the image, in the file's order; none if there is no such file."""
    return [
        Group(r[0], int(r[2]), tuple(name for name in r[3].split(",") if name))
        for r in _records(fs, "/etc/group", 4)
    ]


def user_named(fs: Posix, text: str) -> int | None:
    """The uid that a name or a number means, or None."""
    for user in users(fs):
        if user.name == text:
            return user.uid
    return int(text) if text.isascii() and text.isdigit() else None


def group_named(fs: Posix, text: str) -> int | None:
    """The gid that a name or a number means, or None."""
    for group in groups(fs):
        if group.name == text:
            return group.gid
    return int(text) if text.isascii() and text.isdigit() else None


def name_of_user(fs: Posix, uid: int) -> str | None:
    """The name of the uid, or None."""
    return next((user.name for user in users(fs) if user.uid == uid), None)


def name_of_group(fs: Posix, gid: int) -> str | None:
    """The name of the gid, or None."""
    return next((group.name for group in groups(fs) if group.gid == gid), None)


def groups_of(fs: Posix, name: str, gid: int) -> list[int]:
    """The primary group, then those that list the user, as initgroups(3) collects them."""
    found = [gid]
    found.extend(group.gid for group in groups(fs) if name in group.members and group.gid not in found)
    return found
