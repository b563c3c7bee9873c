"""chmod, chown and chgrp: attributes of files and of trees."""

from __future__ import annotations

import stat
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, parse
from builder.world.utilities.modes import ModeError, changed_mode, shown
from builder.world.utilities.streams import Output, reason
from builder.world.utilities.walks import Follow, Found, walk
from unionfs_sim.accounts import group_named, user_named, users

_CHMOD: Final = "[-Rcvf] MODE[,MODE]... FILE..."
_CHOWN: Final = "[-RhLHPcvf]... USER[:[GRP]] FILE..."
_CHGRP: Final = "[-RhLHPcvf]... GROUP FILE..."
_UNCHANGED: Final = (1 << 32) - 1
_LONG: Final = {
    "recursive": "R",
    "changes": "c",
    "verbose": "v",
    "silent": "f",
    "quiet": "f",
    "no-dereference": "h",
    "dereference": "d",
}


def _mode_first(words: list[str]) -> list[str]:
    """Chmod's MODE may begin with a minus (``chmod -x f``): it must not be read as options."""
    for at, word in enumerate(words):
        if word == "--":
            break
        if word.startswith("-") and word[1:2] in "rwxXstugo" and len(word) > 1:
            return [*words[:at], *words[at + 1 :][:0], "--", word, *words[at + 1 :]]
        if not word.startswith("-"):
            break
    return words


def chmod(process: Process) -> int:
    """Change modes."""
    options = parse(_mode_first(list(process.argv[1:])), "Rcvf", _LONG, usage=_CHMOD)
    if len(options.operands) < 2:
        raise UsageError("", _CHMOD)
    text = options.operands[0]
    try:
        changed_mode(text, 0, umask=0, directory=False)
    except ModeError as error:
        raise UsageError(f"invalid mode '{text}'") from error
    with Output(process) as out:
        for operand in options.operands[1:]:
            for found in walk(process.fs, operand, deepest=None if "R" in options else 0):
                _chmod_one(process, out, options, text, found)
    return out.status


def _chmod_one(process: Process, out: Output, options: Options, text: str, found: Found) -> None:
    if found.leaving:
        return
    status = found.status
    if found.error is not None:
        out.failed(found.path, found.error)
        return
    try:
        if status is None or stat.S_ISLNK(status.st_mode):
            if found.depth > 0:
                return  # a symlink inside a tree is left alone
            status = process.fs.stat(found.path)
        directory = stat.S_ISDIR(status.st_mode)
        mode = changed_mode(text, status.st_mode, umask=process.fs.caller.umask, directory=directory)
        process.fs.chmod(found.path, mode)
    except OSError as error:
        if "f" in options:
            out.status = 1
        else:
            out.failed(found.path, error)
        return
    if "v" in options or ("c" in options and mode != status.st_mode & 0o7777):
        out.print(f"mode of '{found.path}' changed to {mode:04o} ({shown(mode)[1:]})")


def owner(process: Process, text: str) -> tuple[int, int]:
    """The uid and gid that ``USER[:[GRP]]`` means; -1: leave it. UsageError if there is no such name."""
    separator = ":" if ":" in text else "." if "." in text and user_named(process.fs, text) is None else ""
    name, _, group = text.partition(separator) if separator else (text, "", "")
    uid = gid = -1
    if name:
        known = user_named(process.fs, name)
        if known is None:
            raise UsageError(f"unknown user/group {text}" if group else f"unknown user {name}")
        uid = known
    if group:
        known = group_named(process.fs, group)
        if known is None:
            raise UsageError(f"unknown group {group}" if not name else f"unknown user/group {text}")
        gid = known
    elif separator and not name:
        raise UsageError("unknown group ")
    elif separator:
        gid = next((user.gid for user in users(process.fs) if uid == user.uid), -1)
    return uid if uid != _UNCHANGED else -1, gid if gid != _UNCHANGED else -1


def chown(process: Process) -> int:
    """Change owners and groups."""
    options = parse(process.argv[1:], "RhLHPcvf", _LONG, usage=_CHOWN)
    if len(options.operands) < 2:
        raise UsageError("", _CHOWN)
    uid, gid = owner(process, options.operands[0])
    return _chown_all(process, options, uid, gid)


def chgrp(process: Process) -> int:
    """Change groups."""
    options = parse(process.argv[1:], "RhLHPcvf", _LONG, usage=_CHGRP)
    if len(options.operands) < 2:
        raise UsageError("", _CHGRP)
    gid = group_named(process.fs, options.operands[0])
    if gid is None:
        raise UsageError(f"unknown group {options.operands[0]}")
    return _chown_all(process, options, -1, gid)


def _chown_all(process: Process, options: Options, uid: int, gid: int) -> int:
    follow = Follow(options.last("HLP", "P"))
    with Output(process) as out:
        for operand in options.operands[1:]:
            for found in walk(process.fs, operand, follow, deepest=None if "R" in options else 0):
                # A directory's turn comes after what is in it.
                last = found.leaving or found.status is None or not stat.S_ISDIR(found.status.st_mode)
                if last or found.error is not None or "R" not in options:
                    _chown_one(process, out, options, uid, gid, found)
    return out.status


def _chown_one(process: Process, out: Output, options: Options, uid: int, gid: int, found: Found) -> None:
    if found.error is not None:
        out.failed(found.path, found.error)
        return
    through = "h" not in options and ("R" not in options or options.last("HLP", "P") != "P")
    try:
        process.fs.chown(found.path, uid, gid, follow_symlinks=through)
    except OSError as error:
        if "f" in options:
            out.status = 1
        else:
            out.complain(f"{found.path}: {reason(error)}")
        return
    status = found.status
    if status is None:
        return
    changed = (uid not in (-1, status.st_uid)) or (gid not in (-1, status.st_gid))
    if "v" in options or ("c" in options and changed):
        shown_uid, shown_gid = uid if uid >= 0 else status.st_uid, gid if gid >= 0 else status.st_gid
        out.print(f"changed ownership of '{found.path}' to {shown_uid}:{shown_gid}")
