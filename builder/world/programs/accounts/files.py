"""The files behind users and groups, changed line by line: /etc/passwd, /etc/group and /etc/shadow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from builder.world.machine.process import Process
from unionfs_sim.accounts import User, groups, users

PASSWD: Final = "/etc/passwd"
GROUP: Final = "/etc/group"
SHADOW: Final = "/etc/shadow"
GSHADOW: Final = "/etc/gshadow"
_LARGEST: Final = 60000
_DAY_NS: Final = 86_400_000_000_000


class Numbers(NamedTuple):
    """Where free numbers are looked for: ``step`` by step from ``first``, as long as there are any."""

    first: int
    step: int

    def free(self, taken: set[int]) -> int:
        """The first number that is not taken."""
        number = self.first
        while number in taken and 0 < number < _LARGEST:
            number += self.step
        return number


USERS: Final = Numbers(1000, 1)
SYSTEM: Final = Numbers(100, 1)
SHADOW_SYSTEM: Final = Numbers(999, -1)
"""useradd -r and groupadd -r count down (login.defs, SYS_UID_MAX); adduser counts up."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is to be written for a user. ``home_mode``: None makes no home."""

    name: str
    uid: int
    gid: int
    comment: str = ""
    home: str = ""
    shell: str = "/bin/sh"
    home_mode: int | None = 0o755


def number_of(text: str) -> int | None:
    """The user or group number that ``text`` is; None if it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def find_user(process: Process, name: str) -> User | None:
    """The user of that name."""
    return next((user for user in users(process.fs) if user.name == name), None)


def find_group(process: Process, name: str) -> int | None:
    """The number of the group with that name, or with that number."""
    return next((group.gid for group in groups(process.fs) if name in (group.name, str(group.gid))), None)


def free_uid(process: Process, numbers: Numbers) -> int:
    """A user number that nobody has."""
    return numbers.free({user.uid for user in users(process.fs)})


def has_uid(process: Process, uid: int) -> bool:
    """Whether somebody has that user number."""
    return any(user.uid == uid for user in users(process.fs))


def has_gid(process: Process, gid: int) -> bool:
    """Whether a group has that number."""
    return any(group.gid == gid for group in groups(process.fs))


def add_group(process: Process, name: str, wanted: int | None, numbers: Numbers) -> int:
    """The number of the group ``name``, which is made if it does not exist."""
    known = groups(process.fs)
    for group in known:
        if group.name == name:
            return group.gid
    taken = {group.gid for group in known}
    gid = wanted if wanted is not None and wanted not in taken else numbers.free(taken)
    _append(process, GROUP, f"{name}:x:{gid}:")
    if process.fs.exists(GSHADOW):
        _append(process, GSHADOW, f"{name}:!::")
    return gid


def add_user(process: Process, new: NewUser) -> None:
    """Write the lines of ``new`` and make the home."""
    _append(process, PASSWD, f"{new.name}:x:{new.uid}:{new.gid}:{new.comment}:{new.home}:{new.shell}")
    if process.fs.exists(SHADOW):
        _append(process, SHADOW, f"{new.name}:!:{process.machine.now_ns() // _DAY_NS}:0:99999:7:::")
    if new.home_mode is None or process.fs.exists(new.home):
        return
    parts = [part for part in new.home.split("/") if part]
    for depth in range(1, len(parts) + 1):
        path = "/" + "/".join(parts[:depth])
        if not process.fs.exists(path):
            process.fs.mkdir(path, 0o755)
    process.fs.chown(new.home, new.uid, new.gid)
    process.fs.chmod(new.home, new.home_mode)


def join_group(process: Process, user: str, group: str) -> None:
    """Add ``user`` to the members of ``group``."""
    _change_members(process, group, lambda members: members if user in members else [*members, user])


def leave_group(process: Process, user: str, group: str) -> None:
    """Take ``user`` from the members of ``group``; of all groups for ``*``."""
    _change_members(process, group, lambda members: [name for name in members if name != user])


def _change_members(process: Process, group: str, change: Callable[[list[str]], list[str]]) -> None:
    """Rewrite the members (the fourth field of both files) of ``group``; of all groups for ``*``."""
    for path in (GROUP, GSHADOW):
        lines = []
        for line in _lines(process, path):
            fields = line.split(":")
            if len(fields) > 3 and group in ("*", fields[0]):
                fields[3] = ",".join(change([name for name in fields[3].split(",") if name]))
            lines.append(":".join(fields))
        if lines:
            _write(process, path, lines)


def take_away(process: Process, path: str, name: str) -> None:
    """Remove the line of ``name`` from one of the files, and from the one that goes with it."""
    for each in (path, GSHADOW) if path == GROUP else (path,):
        _rewrite(process, each, lambda line: line.split(":")[0] != name)


def _append(process: Process, path: str, line: str) -> None:
    _write(process, path, [*_lines(process, path), line])


def _lines(process: Process, path: str) -> list[str]:
    if not process.fs.exists(path):
        return []
    return process.fs.read_bytes(path).decode("utf-8", "surrogateescape").splitlines()


def _rewrite(process: Process, path: str, keep: Callable[[str], bool]) -> None:
    if process.fs.exists(path):
        _write(process, path, [line for line in _lines(process, path) if keep(line)])


def _write(process: Process, path: str, lines: Sequence[str]) -> None:
    content = "".join(line + "\n" for line in lines)
    process.fs.write_bytes(path, content.encode("utf-8", "surrogateescape"))
