"""ln, link and unlink: names given and taken away."""

from __future__ import annotations

import stat
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, at_least, parse
from builder.world.utilities.streams import Output, reason
from builder.world.utilities.walks import joined
from unionfs_sim.vfs.posix import Posix

_LN: Final = "[-sfnbtv] [-S SUF] TARGET... LINK|DIR"


def _is_directory(fs: Posix, path: str, *, follow_symlinks: bool) -> bool:
    try:
        return stat.S_ISDIR((fs.stat(path) if follow_symlinks else fs.lstat(path)).st_mode)
    except OSError:
        return False


def ln(process: Process) -> int:
    """Make links."""
    long = {
        "symbolic": "s",
        "force": "f",
        "no-dereference": "n",
        "backup": "b",
        "suffix": "S",
        "verbose": "v",
    }
    options = parse(process.argv[1:], "sfnbS:vT", long | {"no-target-directory": "T"}, usage=_LN)
    at_least(options, 1, _LN)
    operands = list(options.operands)
    last = operands.pop() if len(operands) > 1 else operands[0].rstrip("/").rpartition("/")[2]
    if "T" in options:
        if len(options.operands) != 2:
            raise UsageError("", _LN)
        if _is_directory(process.fs, last, follow_symlinks="n" not in options):
            raise UsageError(f"'{last}' is a directory")
    with Output(process) as out:
        for target in operands:
            into = _is_directory(process.fs, last, follow_symlinks="n" not in options)
            path = last
            if into and "T" not in options:
                path = joined(last, target.rstrip("/").rpartition("/")[2])
            try:
                _link(process.fs, out, options, target, path)
            except OSError as error:
                out.failed(target if error.filename == target else path, error)
    return out.status


def _link(fs: Posix, out: Output, options: Options, target: str, path: str) -> None:
    if "s" not in options:
        fs.lstat(target)
    if "b" in options and fs.exists(path):
        fs.rename(path, path + options.value("S", "~"))
    elif "f" in options:
        try:
            fs.unlink(path)
        except FileNotFoundError:
            pass
    if "v" in options:
        out.print(f"'{path}' -> '{target}'")
    try:
        if "s" in options:
            fs.symlink(target, path)
        else:
            fs.link(target, path, follow_symlinks=False)
    except OSError as error:
        raise OSError(error.errno, reason(error), path) from None


def link(process: Process) -> int:
    """Give a file a second name, and do nothing more (link(2))."""
    usage = "FILE LINK"
    options = parse(process.argv[1:], "", usage=usage)
    if len(options.operands) != 2:
        raise UsageError("", usage)
    source, target = options.operands
    try:
        process.fs.link(source, target)
    except OSError as error:
        process.complain(f"can't create hardlink '{target}' to '{source}': {reason(error)}")
        return 1
    return 0


def unlink(process: Process) -> int:
    """Take one name away, and do nothing more (unlink(2))."""
    options = parse(process.argv[1:], "", usage="FILE")
    if len(options.operands) != 1:
        raise UsageError("", "FILE")
    try:
        process.fs.unlink(options.operands[0])
    except OSError as error:
        process.complain(f"can't remove file '{options.operands[0]}': {reason(error)}")
        return 1
    return 0
