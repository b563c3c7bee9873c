"""useradd, groupadd, usermod, userdel and groupdel, as the shadow suite of Debian has them."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.programs.accounts.files import (
    GROUP,
    PASSWD,
    SHADOW,
    SHADOW_SYSTEM,
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

_USERADD_LONG: Final = {
    "home-dir": "d", "create-home": "m", "no-create-home": "M", "shell": "s", "uid": "u", "gid": "g",
    "groups": "G", "system": "r", "comment": "c", "user-group": "U", "no-user-group": "N", "password": "p",
    "base-dir": "b", "no-log-init": "l", "non-unique": "o",
}  # fmt: skip
_USERS_GROUP: Final = 100
"""The group of those who get none of their own (useradd -N; GROUP in /etc/default/useradd)."""


def useradd(process: Process) -> int:
    """Add a user: no home unless -m, and a group of the same name (login.defs, USERGROUPS_ENAB)."""
    usage = "Usage: useradd [options] LOGIN"
    options = parse(process.argv[1:], "d:mMs:u:g:G:rc:UNp:b:lo", _USERADD_LONG, usage=usage)
    if not options.operands:
        process.stderr.write(f"{usage}\n".encode())
        return 2
    name = options.operands[0]
    others = [group for group in options.value("G").split(",") if group]
    refused = _refused(process, options, name, others)
    if refused:
        return refused
    numbers = SHADOW_SYSTEM if "r" in options else USERS
    uid = number_of(options.value("u"))
    uid = free_uid(process, numbers) if uid is None else uid
    gid = find_group(process, options.value("g")) if options.value("g") else None
    if gid is None:
        gid = _USERS_GROUP if "N" in options else add_group(process, name, uid, numbers)
    home = options.value("d") or f"{options.value('b', '/home')}/{name}"
    shell, home_mode = options.value("s") or "/bin/sh", 0o755 if "m" in options else None
    add_user(process, NewUser(name, uid, gid, options.value("c"), home, shell, home_mode))
    for other in others:
        join_group(process, name, other)
    return 0


def _refused(process: Process, options: Options, name: str, others: list[str]) -> int:
    """The status for what cannot be done, after saying so; 0 if all is well (useradd(8), "EXIT VALUES")."""
    uid = number_of(options.value("u"))
    for group in filter(None, [options.value("g"), *others]):
        if find_group(process, group) is None:
            process.complain(f"group '{group}' does not exist")
            return 6
    if find_user(process, name) is not None:
        process.complain(f"user '{name}' already exists")
        return 9
    if find_group(process, name) is not None and not options.value("g") and "N" not in options:
        process.complain(
            f"group {name} exists - if you want to add this user to that group, use the -g option."
        )
        return 9
    if uid is not None and has_uid(process, uid) and "o" not in options:
        process.complain(f"UID {uid} is not unique")
        return 4
    return 0


def groupadd(process: Process) -> int:
    """Add a group."""
    long = {"gid": "g", "system": "r", "force": "f", "non-unique": "o"}
    usage = "Usage: groupadd [options] GROUP"
    options = parse(process.argv[1:], "g:rfo", long, usage=usage)
    if not options.operands:
        process.stderr.write(f"{usage}\n".encode())
        return 2
    name, gid = options.operands[0], number_of(options.value("g"))
    if find_group(process, name) is not None:
        if "f" in options:
            return 0
        process.complain(f"group '{name}' already exists")
        return 9
    if gid is not None and has_gid(process, gid) and "f" not in options:
        process.complain(f"GID '{gid}' already exists")
        return 4
    add_group(process, name, gid, SHADOW_SYSTEM if "r" in options else USERS)
    return 0


def usermod(process: Process) -> int:
    """Put a user into more groups (-aG); the rest of usermod is not simulated."""
    long = {"append": "a", "groups": "G"}
    options = parse(process.argv[1:], "aG:", long, usage="Usage: usermod -aG GROUP LOGIN")
    if "a" not in options or not options.value("G") or not options.operands:
        process.complain("not simulated: anything but -aG GROUP LOGIN")
        return 2
    name = options.operands[0]
    if find_user(process, name) is None:
        process.complain(f"user '{name}' does not exist")
        return 6
    for group in options.value("G").split(","):
        if find_group(process, group) is None:
            process.complain(f"group '{group}' does not exist")
            return 6
        join_group(process, name, group)
    return 0


def userdel(process: Process) -> int:
    """Take a user away, and the group of the same name."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    user = find_user(process, names[0]) if names else None
    if user is None:
        process.complain(f"user '{names[0]}' does not exist" if names else "no login given")
        return 6 if names else 2
    take_away(process, PASSWD, user.name)
    take_away(process, SHADOW, user.name)
    leave_group(process, user.name, "*")
    if find_group(process, user.name) == user.gid:
        take_away(process, GROUP, user.name)
    return 0


def groupdel(process: Process) -> int:
    """Take a group away."""
    names = [word for word in process.argv[1:] if not word.startswith("-")]
    if not names or find_group(process, names[0]) is None:
        process.complain(f"group '{names[0]}' does not exist" if names else "no group given")
        return 6 if names else 2
    take_away(process, GROUP, names[0])
    return 0
