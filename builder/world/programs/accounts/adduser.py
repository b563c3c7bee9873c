"""adduser, addgroup, deluser and delgroup, as busybox has them, and Debian where it differs."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.programs.accounts.files import (
    GROUP,
    PASSWD,
    SHADOW,
    SYSTEM,
    USERS,
    NewUser,
    add_group,
    add_user,
    find_group,
    find_user,
    free_uid,
    has_gid,
    has_uid,
    join_group,
    leave_group,
    number_of,
    take_away,
)
from builder.world.utilities.commandline import Options, parse

_NOGROUP: Final = 65533
_ADDUSER_LONG: Final = {
    "home": "h", "gecos": "g", "shell": "s", "ingroup": "G", "system": "S", "disabled-password": "D",
    "no-create-home": "H", "uid": "u", "gid": "1:", "group": "2", "disabled-login": "D", "quiet": "3",
    "force-badname": "4",
}  # fmt: skip
_ADDUSER_USAGE: Final = "Usage: adduser [OPTIONS] USER [GROUP]"


def adduser(process: Process) -> int:
    """Add a user, or with two names put a user into a group."""
    options = parse(process.argv[1:], "h:g:s:G:SDHu:k:", _ADDUSER_LONG, usage=_ADDUSER_USAGE)
    if len(options.operands) == 2 and not options.given:
        return _join(process, *options.operands)
    if not options.operands:
        process.complain("no user given")
        return 1
    name = options.operands[0]
    if find_user(process, name) is not None:
        process.complain(f"user '{name}' in use")
        return 1
    wanted = number_of(options.value("u"))
    if wanted is not None and has_uid(process, wanted):
        process.complain(f"uid '{wanted}' in use")
        return 1
    group = options.value("G") or options.value("1")
    if group and find_group(process, group) is None:
        process.complain(f"unknown group {group}")
        return 1
    add_user(process, _described(process, options, name))
    return 0


def _described(process: Process, options: Options, name: str) -> NewUser:
    """The user that the options describe; makes a group for it if none is given."""
    is_busybox, is_system = _is_busybox(process), "S" in options
    numbers = SYSTEM if is_system else USERS
    uid = number_of(options.value("u"))
    uid = free_uid(process, numbers) if uid is None else uid
    gid = find_group(process, options.value("G") or options.value("1") or "")
    if gid is None:
        needs_none = is_system and is_busybox and "2" not in options
        gid = _NOGROUP if needs_none else add_group(process, name, uid, numbers)
    shell = "/sbin/nologin" if is_system else "/bin/sh" if is_busybox else "/bin/bash"
    home_mode = 0o2755 if is_busybox else 0o755
    return NewUser(
        name,
        uid,
        gid,
        options.value("g") or ("Linux User,,," if is_busybox else ""),
        options.value("h") or f"/home/{name}",
        options.value("s") or shell,
        None if "H" in options else home_mode,
    )


def addgroup(process: Process) -> int:
    """Add a group, or with two names put a user into a group."""
    long = {"gid": "g", "system": "S", "quiet": "3"}
    options = parse(process.argv[1:], "g:S", long, usage="Usage: addgroup [-g GID] [-S] [USER] GROUP")
    if len(options.operands) == 2:
        return _join(process, *options.operands)
    if not options.operands:
        process.complain("no group given")
        return 1
    name, gid = options.operands[0], number_of(options.value("g"))
    if find_group(process, name) is not None:
        process.complain(f"group '{name}' in use")
        return 1
    if gid is not None and has_gid(process, gid):
        process.complain(f"gid '{gid}' in use")
        return 1
    add_group(process, name, gid, SYSTEM if "S" in options else USERS)
    return 0


def _join(process: Process, user: str, group: str) -> int:
    if find_user(process, user) is None or find_group(process, group) is None:
        what = f"user {user}" if find_user(process, user) is None else f"group {group}"
        process.complain(f"unknown {what}")
        return 1
    join_group(process, user, group)
    return 0


def deluser(process: Process) -> int:
    """Take a user away; with two names, take a user out of a group."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    if not names:
        process.complain("no user given")
        return 1
    if find_user(process, names[0]) is None:
        process.complain(f"unknown user {names[0]}")
        return 1
    if len(names) == 2:
        leave_group(process, names[0], names[1])
        return 0
    take_away(process, PASSWD, names[0])
    take_away(process, SHADOW, names[0])
    leave_group(process, names[0], "*")
    return 0


def delgroup(process: Process) -> int:
    """Take a group away."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    if not names or find_group(process, names[-1]) is None:
        process.complain(f"unknown group {names[-1]}" if names else "no group given")
        return 1
    take_away(process, GROUP, names[-1])
    return 0


def _is_busybox(process: Process) -> bool:
    return "busybox" in process.executable or process.fs.exists("/etc/alpine-release")
