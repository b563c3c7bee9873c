"""Who a name or a number is inside a tree of files: its own /etc/passwd and /etc/group, never this machine's.

A file that is missing, unreadable, no regular file or larger than 16 MiB names nobody; so does a line that
passwd(5) or group(5) would not accept.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Final, NamedTuple

from unionfs_sim.filesystem import Filesystem
from unionfs_sim.nodes.record import Record

PASSWD: Final = "/etc/passwd"
GROUP: Final = "/etc/group"
_LARGEST_FILE: Final = 16 << 20
_LARGEST_ID: Final = (1 << 32) - 2
"""(uid_t)-1 means "leave it" to chown(2)."""


class User(NamedTuple):
    """One line of /etc/passwd (passwd(5))."""

    name: str
    password: str
    uid: int
    gid: int
    comment: str
    home: str
    shell: str


class Group(NamedTuple):
    """One line of /etc/group (group(5))."""

    name: str
    password: str
    gid: int
    members: tuple[str, ...]


class UnknownAccountError(LookupError):
    """A name that stands in no line of ``file``; ``known``: the names that do."""

    def __init__(self, name: str, file: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no {'user' if file == PASSWD else 'group'} {name!r} in the image's {file}")
        self.name = name
        self.file = file
        self.known = known


class IdRangeError(ValueError):
    """A number that no uid or gid can be."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:20]} is too large for a uid or gid")


class Identity(Record):
    """Whom a command runs as. ``groups``: the supplementary ones; ``home``: what HOME is."""

    uid: int
    gid: int
    groups: frozenset[int] = frozenset()
    home: str = "/"


def users(fs: Filesystem) -> list[User]:
    """The users, in the file's order.

    >>> from unionfs_sim import layer
    >>> users(layer({"/etc/passwd": "app:x:1000:50::/home/app:/bin/sh"}))
    [User(name='app', password='x', uid=1000, gid=50, comment='', home='/home/app', shell='/bin/sh')]
    """
    return [
        User(r[0], r[1], int(r[2]), int(r[3]), *r[4:7]) for r in _records(fs, PASSWD, 7) if _is_number(r[3])
    ]


def groups(fs: Filesystem) -> list[Group]:
    """The groups, in the file's order."""
    return [
        Group(r[0], r[1], int(r[2]), tuple(name for name in r[3].split(",") if name))
        for r in _records(fs, GROUP, 4)
    ]


def user_named(fs: Filesystem, text: str) -> int | None:
    """The uid that a name or a number means, or None."""
    for user in users(fs):
        if user.name == text:
            return user.uid
    return int(text) if _is_number(text) else None


def group_named(fs: Filesystem, text: str) -> int | None:
    """The gid that a name or a number means, or None."""
    for group in groups(fs):
        if group.name == text:
            return group.gid
    return int(text) if _is_number(text) else None


def name_of_user(fs: Filesystem, uid: int) -> str | None:
    """The name of the uid, or None."""
    return next((user.name for user in users(fs) if user.uid == uid), None)


def name_of_group(fs: Filesystem, gid: int) -> str | None:
    """The name of the gid, or None."""
    return next((group.name for group in groups(fs) if group.gid == gid), None)


def groups_of(fs: Filesystem, name: str, gid: int) -> list[int]:
    """The primary group, then those that list the user, as initgroups(3) collects them."""
    found = [gid]
    found.extend(group.gid for group in groups(fs) if name in group.members and group.gid not in found)
    return found


def identity(fs: Filesystem, text: str) -> Identity:
    """Who ``user[:group]`` is when a command runs as it; "" is root (OCI image-spec config.md, "User").

    A user without a group brings its supplementary groups; a number that no line has is of group 0 and at
    home in ``/``, as runc has it. UnknownAccountError for a name, IdRangeError for a number.
    """
    name, _, group_text = text.partition(":")
    name = name or "0"
    known = users(fs)
    number = _number(name) if _is_number(name) else None
    user = next((each for each in known if each.name == name), None)
    if user is None and number is not None:
        user = next((each for each in known if each.uid == number), None)
    if user is None and number is None:
        raise UnknownAccountError(name, PASSWD, tuple(each.name for each in known))
    home = user.home if user is not None else "/"
    uid = user.uid if user is not None else number or 0
    if group_text:
        return Identity(uid, _group(fs, group_text), home=home)
    gid = user.gid if user is not None else 0
    extra = groups_of(fs, user.name, gid) if user is not None else []
    return Identity(uid, gid, frozenset(extra) - {gid}, home)


def owner(fs: Filesystem, text: str) -> tuple[int, int]:
    """The uid and gid that ``user[:group]`` gives to files (Dockerfile reference, "COPY --chown --chmod").

    A user without a group brings the gid of its line, a number the same number. UnknownAccountError for a
    name, IdRangeError for a number.
    """
    name, _, group_text = text.partition(":")
    if not name:
        uid = gid = 0
    elif _is_number(name):
        uid = gid = _number(name)
    else:
        known = users(fs)
        user = next((each for each in known if each.name == name), None)
        if user is None:
            raise UnknownAccountError(name, PASSWD, tuple(each.name for each in known))
        uid, gid = user.uid, user.gid
    return uid, _group(fs, group_text) if group_text else gid


def _group(fs: Filesystem, text: str) -> int:
    known = groups(fs)
    group = next((each for each in known if each.name == text), None)
    if group is not None:
        return group.gid
    if not _is_number(text):
        raise UnknownAccountError(text, GROUP, tuple(each.name for each in known))
    return _number(text)


def _records(fs: Filesystem, path: str, fields: int) -> Iterator[list[str]]:
    """The lines with a number in the third field; fields that are missing at the end are empty."""
    for line in _content(fs, path).decode("utf-8", "surrogateescape").split("\n"):
        record = line.split(":")
        if len(record) > 2 and _is_number(record[2]):
            yield record + [""] * (fields - len(record))


def _content(fs: Filesystem, path: str) -> bytes:
    try:
        file = fs.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        status = file.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_FILE:
            return b""
        return file.read()
    except OSError:
        return b""
    finally:
        file.close()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _number(text: str) -> int:
    number = int(text) if len(text) <= 10 else _LARGEST_ID + 1
    if number > _LARGEST_ID:
        raise IdRangeError(text)
    return number
