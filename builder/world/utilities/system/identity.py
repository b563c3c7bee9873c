"""id, whoami and groups: who the caller is, or who somebody would be."""

from __future__ import annotations

from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError, parse
from unionfs_sim.accounts import groups_of, name_of_group, name_of_user, users

_USAGE = "[-ugGnr] [USER]"


def _subject(process: Process, name: str | None) -> tuple[int, int, list[int]]:
    """The uid, the gid and all gids of the user, or of the caller."""
    caller = process.fs.caller
    if name is None:
        return caller.uid, caller.gid, [caller.gid, *sorted(caller.groups - {caller.gid})]
    for user in users(process.fs):
        if user.name == name:
            return user.uid, user.gid, groups_of(process.fs, user.name, user.gid)
    raise UsageError(f"unknown user {name}")


def _labelled(number: int, name: str | None) -> str:
    return f"{number}({name})" if name is not None else str(number)


def id_(process: Process) -> int:
    """Print user and groups."""
    options = parse(
        process.argv[1:], "ugGnr", {"user": "u", "group": "g", "groups": "G", "name": "n"}, usage=_USAGE
    )
    chosen = {letter for letter, _ in options.given if letter in "ugG"}
    if len(options.operands) > 1 or len(chosen) > 1 or ("n" in options and not chosen):
        raise UsageError("", _USAGE)
    fs = process.fs
    name = options.operands[0] if options.operands else None
    uid, gid, gids = _subject(process, name)
    if not chosen:
        line = f"uid={_labelled(uid, name_of_user(fs, uid))} gid={_labelled(gid, name_of_group(fs, gid))}"
        if name is not None or len(gids) > 1:
            line += " groups=" + ",".join(_labelled(each, name_of_group(fs, each)) for each in gids)
        process.out(line + "\n")
        return 0
    numbers = [uid] if "u" in chosen else [gid] if "g" in chosen else gids
    lookup = name_of_user if "u" in chosen else name_of_group
    shown: list[str] = []
    status = 0
    for number in numbers:
        label = lookup(fs, number) if "n" in options else str(number)
        if label is None:
            process.complain(f"unknown ID {number}")
            status = 1
        shown.append(label or str(number))
    process.out(" ".join(shown) + "\n")
    return status


def whoami(process: Process) -> int:
    """Print the caller's name."""
    if len(process.argv) > 1:
        raise UsageError("", "")
    name = name_of_user(process.fs, process.fs.caller.uid)
    if name is None:
        process.complain(f"unknown uid {process.fs.caller.uid}")
        return 1
    process.out(name + "\n")
    return 0


def groups(process: Process) -> int:
    """Print the names of the groups."""
    name = process.argv[1] if len(process.argv) > 1 else None
    _, _, gids = _subject(process, name)
    process.out(" ".join(name_of_group(process.fs, gid) or str(gid) for gid in gids) + "\n")
    return 0
