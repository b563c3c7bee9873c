"""Who a name is inside an image: /etc/passwd and /etc/group of that image, never of this machine."""

from __future__ import annotations

import os
import stat
from typing import Final

from builder.context.paths import lstat, resolve
from builder.errors import BuildError
from unionfs_sim.filesystem import Filesystem

_MAX_ACCOUNT_FILE: Final = 16 << 20
_MAX_ID: Final = (1 << 32) - 2


def owner(fs: Filesystem, text: str) -> tuple[int, int]:
    """The uid and gid that ``user[:group]`` means in ``fs``; BuildError if a name is not known there.

    A user without a group brings the gid of /etc/passwd, a bare uid the same number as gid
    (Dockerfile reference, "COPY --chown --chmod").
    """
    user, _, group = text.partition(":")
    uid, gid = _user(fs, user) if user else (0, 0)
    return uid, _group(fs, group) if group else gid


def _user(fs: Filesystem, name: str) -> tuple[int, int]:
    if name.isascii() and name.isdigit():
        number = _number(name)
        return number, number
    for fields in _accounts(fs, "/etc/passwd"):
        if fields[0] == name and len(fields) > 3 and fields[2].isdigit() and fields[3].isdigit():
            return int(fields[2]), int(fields[3])
    raise BuildError(
        f"no user {name!r} in the image's /etc/passwd",
        fix="create the user in an earlier RUN, or write its uid",
    )


def _group(fs: Filesystem, name: str) -> int:
    if name.isascii() and name.isdigit():
        return _number(name)
    for fields in _accounts(fs, "/etc/group"):
        if fields[0] == name and len(fields) > 2 and fields[2].isdigit():
            return int(fields[2])
    raise BuildError(
        f"no group {name!r} in the image's /etc/group",
        fix="create the group in an earlier RUN, or write its gid",
    )


def _number(text: str) -> int:
    number = int(text) if len(text) <= 10 else _MAX_ID + 1
    if number > _MAX_ID:
        raise BuildError(f"{text[:20]} is too large for a uid or gid")
    return number


def _accounts(fs: Filesystem, path: str) -> list[list[str]]:
    real = resolve(fs, path)
    found = lstat(fs, real)
    if found is None or not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_ACCOUNT_FILE:
        return []
    file = fs.open(real, os.O_RDONLY)
    try:
        return [line.split(":") for line in file.read().decode("utf-8", "replace").splitlines()]
    finally:
        file.close()
