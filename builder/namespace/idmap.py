"""Which ids there are inside a user namespace, and which of the machine's they are (user_namespaces(7)).

Three callers: root, whose builds get ids of their own, never 0; a user with subordinate ids (subuid(5)), who
owns what root inside makes; and a user without, who has one id to give.
"""

from __future__ import annotations

import enum
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from builder.errors import BuildError

WIDTH: Final = 65536
"""How many ids an image may use: as many as every distribution gives a user."""

ROOTS_FIRST: Final = 100_000
"""Where root's range begins when /etc/subuid does not say."""

_ALL_IDS: Final = 2**32 - 1


class Caller(enum.Enum):
    """Who asks for a user namespace, and so what owners files can have inside. ``value``: for people."""

    ROOT = "root"
    RANGE = "a user with subordinate ids"
    SINGLE = "a user with one id"
    MACHINE = "root, without a user namespace"


@dataclass(frozen=True, slots=True)
class Row:
    """``count`` ids from ``inside`` on are the machine's from ``outside`` on: a line of uid_map."""

    inside: int
    outside: int
    count: int

    def __str__(self) -> str:
        return f"{self.inside} {self.outside} {self.count}"


@dataclass(frozen=True, slots=True)
class IdMap:
    """The ids of a user namespace. ``note``: why it is not a better one, with what to do; "" if it is."""

    caller: Caller
    uids: tuple[Row, ...]
    gids: tuple[Row, ...]
    note: str = ""

    @property
    def root(self) -> tuple[int, int]:
        """The machine's uid and gid that are 0 inside."""
        return _outside(self.uids, 0), _outside(self.gids, 0)

    @property
    def name(self) -> str:
        """What tells apart the trees of files that belong to different maps."""
        return f"{self.uids[0].outside}-{sum(row.count for row in self.uids)}"


def _outside(rows: Sequence[Row], inside: int) -> int:
    for row in rows:
        if row.inside <= inside < row.inside + row.count:
            return row.outside + inside - row.inside
    raise ValueError(f"no row maps {inside}")


MACHINES_OWN: Final = IdMap(Caller.MACHINE, (Row(0, 0, _ALL_IDS),), (Row(0, 0, _ALL_IDS),))
"""The machine's own ids: 0 is its root."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides on a map: texts of files of this machine, and who asks.

    ``uid_map``: of this process; ``subuid``, ``subgid``: of /etc; ``tools``: whether newuidmap and newgidmap
    can be found.
    """

    uid: int
    gid: int
    name: str
    uid_map: str
    gid_map: str
    subuid: str
    subgid: str
    tools: bool

    @classmethod
    def here(cls) -> Machine:
        """This machine and this process."""
        import shutil

        uid = os.geteuid()
        return cls(
            uid,
            os.getegid(),
            _user_name(uid),
            _text("/proc/self/uid_map"),
            _text("/proc/self/gid_map"),
            _text("/etc/subuid"),
            _text("/etc/subgid"),
            all(map(shutil.which, ("newuidmap", "newgidmap"))),
        )


def choose(machine: Machine) -> IdMap:
    """The best map that the caller can have."""
    uids = subordinate(machine.subuid, machine.name, machine.uid)
    gids = subordinate(machine.subgid, machine.name, machine.uid)
    if machine.uid == 0:
        return _for_root(machine, uids, gids)
    own = (Row(0, machine.uid, 1),), (Row(0, machine.gid, 1),)
    lifts = f"usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {machine.name}"
    if uids is None or gids is None:
        lacking = "/etc/subuid" if uids is None else "/etc/subgid"
        note = f"{lacking} gives {machine.name} no ids; as root: {lifts} (and install uidmap)"
        return IdMap(Caller.SINGLE, *own, note)
    if not machine.tools:
        note = "newuidmap and newgidmap are not installed; as root: apt-get install uidmap"
        return IdMap(Caller.SINGLE, *own, note)
    return IdMap(
        Caller.RANGE,
        (Row(0, machine.uid, 1), Row(1, *uids)),
        (Row(0, machine.gid, 1), Row(1, *gids)),
    )


def _for_root(machine: Machine, uids: tuple[int, int] | None, gids: tuple[int, int] | None) -> IdMap:
    known = rows(machine.uid_map), rows(machine.gid_map)
    if not is_whole(machine.uid_map):
        # We are in a user namespace already, where 0 is nobody special to the machine: hand on what there is.
        handed = [tuple(Row(row.inside, row.inside, row.count) for row in each) for each in known]
        if min(sum(row.count for row in each) for each in handed) == 1:
            note = "the user namespace that this runs in has one id to hand on; make it with a range of them"
            return IdMap(Caller.SINGLE, handed[0][:1], handed[1][:1], note)
        return IdMap(Caller.ROOT, handed[0], handed[1])
    return IdMap(
        Caller.ROOT,
        (Row(0, *(uids or (ROOTS_FIRST, WIDTH))),),
        (Row(0, *(gids or (ROOTS_FIRST, WIDTH))),),
    )


def rows(text: str) -> tuple[Row, ...]:
    """The lines of a uid_map or gid_map.

    >>> [str(row) for row in rows("0 1000 1\\n1 100000 65536\\n")]
    ['0 1000 1', '1 100000 65536']
    """
    return tuple(Row(*map(int, line.split())) for line in text.splitlines() if len(line.split()) == 3)


def is_whole(text: str) -> bool:
    """Whether a uid_map gives all ids there are: that of no user namespace but the machine's."""
    return sum(row.count for row in rows(text)) >= _ALL_IDS


def subordinate(text: str, name: str, uid: int) -> tuple[int, int] | None:
    """The first range (start, count) that /etc/subuid or /etc/subgid gives the user; None if none.

    >>> subordinate("eve:100000:65536", "eve", 7), subordinate("7:5:9", "eve", 7), subordinate("", "eve", 7)
    ((100000, 65536), (5, 9), None)
    """
    for line in text.splitlines():
        who, _, rest = line.strip().partition(":")
        start, _, count = rest.partition(":")
        if who in (name, str(uid)) and start.isdigit() and count.isdigit() and int(count) > 0:
            return int(start), int(count)
    return None


def write(ids: IdMap, pid: int, *, run: Callable[[Sequence[str]], None] | None = None) -> IdMap:
    """Give the new user namespace of process ``pid`` its ids, from outside; returns the map that it has.

    Where newuidmap refuses, that is the one with a single id. ``run``: runs one command. OSError if even
    that is refused.
    """
    if ids.caller is Caller.MACHINE:
        return ids
    if ids.caller is Caller.RANGE:
        try:
            for tool, each in (("newuidmap", ids.uids), ("newgidmap", ids.gids)):
                (run or _run)([tool, str(pid), *(word for row in each for word in str(row).split())])
            return ids
        except BuildError as error:
            if rows(_text(f"/proc/{pid}/uid_map")):
                raise  # one of the maps is written, and no map is written twice
            ids = IdMap(Caller.SINGLE, ids.uids[:1], ids.gids[:1], str(error))
    if ids.caller is Caller.SINGLE:
        _put(f"/proc/{pid}/setgroups", "deny")
    _put(f"/proc/{pid}/uid_map", "\n".join(map(str, ids.uids)))
    _put(f"/proc/{pid}/gid_map", "\n".join(map(str, ids.gids)))
    return ids


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or f"status {done.returncode}"
        raise BuildError(
            f"{command[0]} refuses: {said}",
            fix="it needs its setuid bit (chmod u+s /usr/bin/newuidmap /usr/bin/newgidmap), no "
            "no_new_privs here, and a range of /etc/subuid that is this user's alone",
        )


def _put(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _user_name(uid: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
