"""stat: the attributes of files, in words or by a format."""

from __future__ import annotations

import re
import stat as modes
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import at_least, parse
from builder.world.utilities.dates import NANOSECONDS, formatted
from builder.world.utilities.streams import Output, reason
from unionfs_sim.accounts import name_of_group, name_of_user
from unionfs_sim.filesystem import Stat

_USAGE: Final = "[-ltf] [-c FMT] FILE..."
_KINDS: Final = {
    modes.S_IFDIR: "directory",
    modes.S_IFLNK: "symbolic link",
    modes.S_IFIFO: "fifo",
    modes.S_IFSOCK: "socket",
    modes.S_IFCHR: "character special file",
    modes.S_IFBLK: "block special file",
}
_TERSE: Final = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %o"
_DIRECTIVE: Final = re.compile(r"%([-+ #0]*)(\d*)(?:\.(\d+))?(.?)", re.DOTALL)
_BLOCK: Final = 4096


def _moment(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, NANOSECONDS)
    return formatted(seconds, rest, "%Y-%m-%d %H:%M:%S.%N %z")


def _kind(status: Stat) -> str:
    kind = modes.S_IFMT(status.st_mode)
    if kind == modes.S_IFREG:
        return "regular file" if status.st_size else "regular empty file"
    return _KINDS.get(kind, "weird file")


def _fact(process: Process, letter: str, path: str, status: Stat) -> str | int | None:
    match letter:
        case "n":
            return path
        case "N":
            if modes.S_ISLNK(status.st_mode):
                return f"'{path}' -> '{process.fs.readlink(path)}'"
            return path
        case "a":
            return f"{modes.S_IMODE(status.st_mode):o}"
        case "A":
            return modes.filemode(status.st_mode)
        case "F":
            return _kind(status)
        case "f":
            return f"{status.st_mode:x}"
        case "U":
            return name_of_user(process.fs, status.st_uid) or "UNKNOWN"
        case "G":
            return name_of_group(process.fs, status.st_gid) or "UNKNOWN"
        case "D":
            return f"{status.st_dev:x}"
        case "t":
            return f"{(status.st_rdev >> 8) & 0xFFF:x}"
        case "T":
            return f"{status.st_rdev & 0xFF:x}"
        case "x" | "y" | "z":
            return _moment(status[{"x": 7, "y": 8, "z": 9}[letter]])
        case "X" | "Y" | "Z":
            return status[{"X": 7, "Y": 8, "Z": 9}[letter]] // NANOSECONDS
    numbers = {"b": status.st_blocks, "B": 512, "d": status.st_dev, "g": status.st_gid, "h": status.st_nlink}
    numbers |= {"i": status.st_ino, "o": _BLOCK, "s": status.st_size, "u": status.st_uid}
    return numbers.get(letter)


def _by_format(process: Process, spelling: str, path: str, status: Stat) -> str:
    def fill(match: re.Match[str]) -> str:
        flags, width, precision, letter = match.groups()
        if letter == "%":
            return "%"
        fact = _fact(process, letter, path, status)
        if fact is None:
            return letter
        process.machine.account_memory(int(width[:18] or 0) if width else 0)
        if "0" in flags and width and letter not in "nNAFUGxyz":
            return str(fact).rjust(int(width), "0")
        text = str(fact) if precision is None or isinstance(fact, int) else str(fact)[: int(precision)]
        return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))

    return _DIRECTIVE.sub(fill, spelling)


def _described(process: Process, path: str, status: Stat) -> str:
    name = _fact(process, "N", path, status)
    user = name_of_user(process.fs, status.st_uid) or "UNKNOWN"
    group = name_of_group(process.fs, status.st_gid) or "UNKNOWN"
    device = ""
    if modes.S_ISCHR(status.st_mode) or modes.S_ISBLK(status.st_mode):
        device = f" Device type: {(status.st_rdev >> 8) & 0xFFF:x},{status.st_rdev & 0xFF:x}"
    links = f"{status.st_nlink:<5d}" if device else f"{status.st_nlink}"
    return (
        f"  File: {name}\n"
        f"  Size: {status.st_size:<10d}\tBlocks: {status.st_blocks:<10d} "
        f"IO Block: {_BLOCK:<6d} {_kind(status)}\n"
        f"Device: {status.st_dev:x}h/{status.st_dev}d\tInode: {status.st_ino:<10d}  Links: {links}{device}\n"
        f"Access: ({modes.S_IMODE(status.st_mode):04o}/{modes.filemode(status.st_mode)})"
        f"  Uid: ({status.st_uid:5d}/{user:>8s})   Gid: ({status.st_gid:5d}/{group:>8s})\n"
        f"Access: {_moment(status.st_atime_ns)}\n"
        f"Modify: {_moment(status.st_mtime_ns)}\n"
        f"Change: {_moment(status.st_ctime_ns)}"
    )


def stat(process: Process) -> int:
    """Print the attributes of files."""
    long = {"dereference": "L", "format": "c", "terse": "t"}
    options = parse(process.argv[1:], "c:Lt", long, usage=_USAGE)
    at_least(options, 1, _USAGE)
    with Output(process) as out:
        for path in options.operands:
            try:
                status = process.fs.stat(path) if "L" in options else process.fs.lstat(path)
            except OSError as error:
                out.complain(f"can't stat '{path}': {reason(error)}")
                continue
            if "c" in options:
                out.print(_by_format(process, options.value("c"), path, status))
            elif "t" in options:
                out.print(_by_format(process, _TERSE, path, status))
            else:
                out.print(_described(process, path, status))
    return out.status
