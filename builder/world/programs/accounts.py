"""Users and groups: adduser and addgroup as busybox and Debian have them, useradd and groupadd."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from builder.world.process import Process
from builder.world.utilities.accounts import Group, User, groups, users
from builder.world.utilities.options import Options, parse

_PASSWD: Final = "/etc/passwd"
_GROUP: Final = "/etc/group"
_SHADOW: Final = "/etc/shadow"
_LARGEST: Final = 60000
_ADDUSER_LONG: Final = {
    "home": "h", "gecos": "g", "shell": "s", "ingroup": "G", "system": "S", "disabled-password": "D",
    "no-create-home": "H", "uid": "u", "gid": "1:", "group": "2", "disabled-login": "D", "quiet": "3",
    "force-badname": "4",
}  # fmt: skip
_USERADD_LONG: Final = {
    "home-dir": "d", "create-home": "m", "no-create-home": "M", "shell": "s", "uid": "u", "gid": "g",
    "groups": "G",
    "system": "r", "comment": "c", "user-group": "U", "no-user-group": "N", "password": "p", "base-dir": "b",
    "no-log-init": "l", "non-unique": "o",
}  # fmt: skip


class _Numbers(NamedTuple):
    """Where free numbers are looked for: ``step`` by step from ``first``, as long as there are any."""

    first: int
    step: int

    def free(self, taken: set[int]) -> int:
        """The first number that is not taken."""
        number = self.first
        while number in taken and 0 < number < _LARGEST:
            number += self.step
        return number


_USERS: Final = _Numbers(1000, 1)
_SYSTEM: Final = _Numbers(100, 1)
_SHADOW_SYSTEM: Final = _Numbers(999, -1)
"""useradd -r and groupadd -r count down (login.defs, SYS_UID_MAX); adduser counts up."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """What is to be written for a user; None: choose."""

    name: str
    uid: int | None = None
    gid: int | None = None
    comment: str = ""
    home: str = ""
    shell: str = "/bin/sh"
    numbers: _Numbers = _USERS
    makes_home: bool = True


def adduser(process: Process) -> int:
    """Add a user, or with two names put a user into a group."""
    options = parse(
        process.argv[1:], "h:g:s:G:SDHu:k:", _ADDUSER_LONG, usage="Usage: adduser [OPTIONS] USER [GROUP]"
    )
    if len(options.operands) == 2 and not options.given:
        return _join(process, *options.operands)
    if not options.operands:
        process.complain("no user given")
        return 1
    name, is_system = options.operands[0], "S" in options
    if _user(process, name) is not None:
        process.complain(f"user '{name}' in use")
        return 1
    gid = _chosen_group(process, options)
    if gid is None and (options.value("G") or options.value("1")):
        process.complain(f"unknown group {options.value('G') or options.value('1')}")
        return 1
    uid, numbers = _number(options.value("u")), _SYSTEM if is_system else _USERS
    if gid is None:
        if is_system and "2" not in options and _is_busybox(process):
            gid = 65533
        else:
            gid = _add_group(process, name, uid, numbers)
    home = options.value("h") or f"/home/{name}"
    new = NewUser(
        name,
        uid,
        gid,
        options.value("g") or ("Linux User,,," if _is_busybox(process) else ""),
        home,
        options.value("s")
        or ("/sbin/nologin" if is_system else "/bin/sh" if _is_busybox(process) else "/bin/bash"),
        numbers=numbers,
        makes_home="H" not in options,
    )
    return _add_user(process, new)


def addgroup(process: Process) -> int:
    """Add a group, or with two names put a user into a group."""
    options = parse(
        process.argv[1:],
        "g:S",
        {"gid": "g", "system": "S", "quiet": "3"},
        usage="Usage: addgroup [-g GID] [-S] [USER] GROUP",
    )
    if len(options.operands) == 2:
        return _join(process, *options.operands)
    if not options.operands:
        process.complain("no group given")
        return 1
    return _new_group(
        process, options.operands[0], _number(options.value("g")), _SYSTEM if "S" in options else _USERS
    )


def useradd(process: Process) -> int:
    """Add a user (shadow's useradd): no home unless -m; a group of the same name."""
    options = parse(
        process.argv[1:], "d:mMs:u:g:G:rc:UNp:b:lo", _USERADD_LONG, usage="Usage: useradd [options] LOGIN"
    )
    if not options.operands:
        process.stderr.write(b"Usage: useradd [options] LOGIN\n")
        return 2
    name, is_system = options.operands[0], "r" in options
    if _user(process, name) is not None:
        process.complain(f"user '{name}' already exists")
        return 9
    uid, numbers = _number(options.value("u")), _SHADOW_SYSTEM if is_system else _USERS
    wanted = options.value("g")
    gid = _group(process, wanted)
    if wanted and gid is None:
        process.complain(f"group '{wanted}' does not exist")
        return 6
    others = [group for group in options.value("G").split(",") if group]
    for other in others:
        if _group(process, other) is None:
            process.complain(f"group '{other}' does not exist")
            return 6
    if gid is None:
        gid = 100 if "N" in options else _add_group(process, name, uid, numbers)
    home = options.value("d") or f"{options.value('b', '/home')}/{name}"
    shell = options.value("s") or "/bin/sh"
    new = NewUser(name, uid, gid, options.value("c"), home, shell, numbers=numbers, makes_home="m" in options)
    status = _add_user(process, new)
    for other in others:
        status = status or _join(process, name, other)
    return status


def groupadd(process: Process) -> int:
    """Add a group (shadow's groupadd)."""
    long = {"gid": "g", "system": "r", "force": "f", "non-unique": "o"}
    options = parse(process.argv[1:], "g:rfo", long, usage="Usage: groupadd [options] GROUP")
    if not options.operands:
        process.stderr.write(b"Usage: groupadd [options] GROUP\n")
        return 2
    name = options.operands[0]
    if _group(process, name) is not None and "f" in options:
        return 0
    if _group(process, name) is not None:
        process.complain(f"group '{name}' already exists")
        return 9
    return _new_group(
        process, name, _number(options.value("g")), _SHADOW_SYSTEM if "r" in options else _USERS
    )


def usermod(process: Process) -> int:
    """Put a user into more groups (-aG); the rest of usermod is not simulated."""
    options = parse(
        process.argv[1:], "aG:", {"append": "a", "groups": "G"}, usage="Usage: usermod -aG GROUP LOGIN"
    )
    if "a" not in options or not options.value("G") or not options.operands:
        process.complain("not simulated: anything but -aG GROUP LOGIN")
        return 2
    status = 0
    for group in options.value("G").split(","):
        status = status or _join(process, options.operands[0], group)
    return status


def deluser(process: Process) -> int:
    """Take a user away (deluser, userdel)."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    if not names or _user(process, names[0]) is None:
        process.complain(f"unknown user {names[0] if names else ''}".rstrip())
        return 1 if names else 2
    for path in (_PASSWD, _SHADOW):
        _rewrite(process, path, lambda line: line.split(":")[0] != names[0])
    return 0


def delgroup(process: Process) -> int:
    """Take a group away (delgroup, groupdel)."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    if not names or _group(process, names[-1]) is None:
        process.complain(f"unknown group {names[-1] if names else ''}".rstrip())
        return 1
    _rewrite(process, _GROUP, lambda line: line.split(":")[0] != names[-1])
    return 0


def _is_busybox(process: Process) -> bool:
    return "busybox" in process.executable or process.fs.exists("/etc/alpine-release")


def _user(process: Process, name: str) -> User | None:
    return next((user for user in users(process.fs) if user.name == name), None)


def _group(process: Process, name: str) -> int | None:
    known: Sequence[Group] = groups(process.fs)
    return next((group.gid for group in known if name in (group.name, str(group.gid))), None)


def _chosen_group(process: Process, options: Options) -> int | None:
    wanted = options.value("G") or options.value("1")
    return _group(process, wanted) if wanted else None


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and int(text) < 1 << 31 else None


def _add_group(process: Process, name: str, wanted: int | None, numbers: _Numbers) -> int:
    known = groups(process.fs)
    for group in known:
        if group.name == name:
            return group.gid
    taken = {group.gid for group in known}
    gid = wanted if wanted is not None and wanted not in taken else numbers.free(taken)
    _append(process, _GROUP, f"{name}:x:{gid}:")
    return gid


def _new_group(process: Process, name: str, wanted: int | None, numbers: _Numbers) -> int:
    if _group(process, name) is not None:
        process.complain(f"group '{name}' in use")
        return 1
    if wanted is not None and any(group.gid == wanted for group in groups(process.fs)):
        process.complain(f"gid '{wanted}' in use")
        return 1
    _add_group(process, name, wanted, numbers)
    return 0


def _add_user(process: Process, new: NewUser) -> int:
    taken = {user.uid for user in users(process.fs)}
    if new.uid is not None and new.uid in taken:
        process.complain(f"uid '{new.uid}' in use")
        return 1
    uid = new.uid if new.uid is not None else new.numbers.free(taken)
    _append(process, _PASSWD, f"{new.name}:x:{uid}:{new.gid}:{new.comment}:{new.home}:{new.shell}")
    if process.fs.exists(_SHADOW):
        _append(process, _SHADOW, f"{new.name}:!:{process.world.now_ns() // 86_400_000_000_000}:0:99999:7:::")
    if new.makes_home and not process.fs.exists(new.home):
        parts = new.home.strip("/").split("/")
        for depth in range(1, len(parts) + 1):
            path = "/" + "/".join(parts[:depth])
            if not process.fs.exists(path):
                process.fs.mkdir(path, 0o755)
        process.fs.chown(new.home, uid, new.gid if new.gid is not None else uid)
        process.fs.chmod(new.home, 0o2755 if _is_busybox(process) else 0o755)
    return 0


def _join(process: Process, user: str, group: str) -> int:
    if _user(process, user) is None:
        process.complain(f"unknown user {user}")
        return 1
    if _group(process, group) is None:
        process.complain(f"unknown group {group}")
        return 1
    lines = []
    for line in process.fs.read_bytes(_GROUP).decode("utf-8", "surrogateescape").splitlines():
        fields = line.split(":")
        if fields[0] == group and len(fields) > 3 and user not in fields[3].split(","):
            fields[3] = ",".join(filter(None, [*fields[3].split(","), user]))
        lines.append(":".join(fields))
    _write(process, _GROUP, lines)
    return 0


def _append(process: Process, path: str, line: str) -> None:
    text = process.fs.read_bytes(path).decode("utf-8", "surrogateescape") if process.fs.exists(path) else ""
    _write(process, path, [*text.splitlines(), line])


def _rewrite(process: Process, path: str, keep: Callable[[str], bool]) -> None:
    if process.fs.exists(path):
        text = process.fs.read_bytes(path).decode("utf-8", "surrogateescape")
        _write(process, path, [line for line in text.splitlines() if keep(line)])


def _write(process: Process, path: str, lines: Sequence[str]) -> None:
    content = "".join(line + "\n" for line in lines)
    process.fs.write_bytes(path, content.encode("utf-8", "surrogateescape"))
