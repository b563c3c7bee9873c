"""mkdir, rmdir, rm, ln and the makers of single names."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, at_least, number, parse
from builder.world.utilities.modes import ModeError, changed_mode
from builder.world.utilities.streams import Output, reason
from unionfs_sim.nodes.kinds import device_number
from unionfs_sim.vfs.posix import Posix

_MKDIR: Final = "[-m MODE] [-p] DIRECTORY..."
_SIZES: Final = {
    "": 1,
    "b": 512,
    "k": 1 << 10,
    "K": 1 << 10,
    "m": 1 << 20,
    "M": 1 << 20,
    "g": 1 << 30,
    "G": 1 << 30,
}


def mode_operand(text: str, start: int, umask: int, usage: str | None = None) -> int:
    """The mode that ``text`` makes of ``start``; UsageError as busybox words it."""
    try:
        return changed_mode(text, start, umask=umask, directory=False)
    except ModeError as error:
        raise UsageError(f"invalid mode '{text}'", usage) from error


def make_directories(fs: Posix, path: str) -> Iterator[str]:
    """Make a directory and what leads to it; yields each name that was made.

    The leading directories can always be entered by their owner (POSIX mkdir -p: u+wx). An OSError
    names the path that could not be made.
    """
    needed = stat.S_IWUSR | stat.S_IXUSR
    for leading in re.finditer("/+(?=[^/])", path):
        prefix = path[: leading.end()]
        if not prefix.strip("/"):
            continue
        try:
            fs.mkdir(prefix)
        except FileExistsError:
            if not stat.S_ISDIR(fs.stat(prefix).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), prefix) from None
            continue
        except OSError as error:
            raise OSError(error.errno, error.strerror, prefix) from None
        mode = fs.stat(prefix).st_mode & 0o7777
        if mode & needed != needed:
            fs.chmod(prefix, mode | needed)
        yield prefix
    try:
        fs.mkdir(path)
    except FileExistsError:
        if not stat.S_ISDIR(fs.stat(path).st_mode):
            raise
        return
    yield path


def mkdir(process: Process) -> int:
    """Make directories."""
    options = parse(process.argv[1:], "m:pv", {"mode": "m", "parents": "p", "verbose": "v"}, usage=_MKDIR)
    at_least(options, 1, _MKDIR)
    umask = process.fs.caller.umask
    mode = mode_operand(options.value("m"), 0o777, umask) if "m" in options else None
    with Output(process) as out:
        for path in options.operands:
            made: list[str] = []
            try:
                if "p" in options:
                    made.extend(make_directories(process.fs, path))
                else:
                    process.fs.mkdir(path)
                    made.append(path)
                if made[-1:] == [path] and mode is not None:
                    process.fs.chmod(path, mode)
            except OSError as error:
                where = error.filename if isinstance(error.filename, str) else path
                out.complain(f"can't create directory '{where}': {reason(error)}")
            if "v" in options:
                for name in made:
                    out.print(f"created directory: '{name}'")
    return out.status


def rmdir(process: Process) -> int:
    """Remove empty directories."""
    usage = "[-p] DIRECTORY..."
    options = parse(process.argv[1:], "pi", {"parents": "p", "ignore-fail-on-non-empty": "i"}, usage=usage)
    at_least(options, 1, usage)
    with Output(process) as out:
        for operand in options.operands:
            path = operand
            while True:
                try:
                    process.fs.rmdir(path)
                except OSError as error:
                    if not ("i" in options and error.errno == errno.ENOTEMPTY):
                        out.complain(f"'{path}': {reason(error)}")
                    break
                path = path.rstrip("/").rpartition("/")[0]
                if "p" not in options or not path:
                    break
    return out.status


def _confirmed(process: Process, out: Output, question: str) -> bool:
    """Ask on descriptor 2; a line on descriptor 0 that begins with y agrees."""
    out.flush()
    process.stderr.write(f"{process.name}: {question} ".encode("utf-8", "surrogateescape"))
    answer = process.stdin.read(1)
    first = answer
    while answer not in (b"", b"\n"):
        answer = process.stdin.read(1)
    return first in (b"y", b"Y")


def removed(process: Process, out: Output, path: str, options: Options) -> None:
    """Remove what is at ``path`` (a directory with -r only), complaining about what stays."""
    fs = process.fs
    path = path.rstrip("/") or path
    try:
        status = fs.lstat(path)
    except OSError as error:
        if error.errno != errno.ENOENT:
            out.complain(f"can't stat '{path}': {reason(error)}")
        elif "f" not in options:
            out.complain(f"can't remove '{path}': {reason(error)}")
        return
    if not stat.S_ISDIR(status.st_mode):
        if "i" in options and not _confirmed(process, out, f"remove '{path}'?"):
            return
        _remove(out, fs.unlink, path)
        return
    if "r" not in options and "R" not in options:
        out.complain(f"'{path}' is a directory")
        return
    if "i" in options and not _confirmed(process, out, f"descend into directory '{path}'?"):
        return
    try:
        names = sorted(fs.listdir(path))
    except OSError:
        out.status = 1  # busybox says nothing about a directory that it may not read
        return
    before, out.status = out.status, 0
    for name in names:
        removed(process, out, f"{path.rstrip('/') or ''}/{name}", options)
    failed, out.status = out.status, out.status or before
    if failed or ("i" in options and not _confirmed(process, out, f"remove directory '{path}'?")):
        return
    _remove(out, fs.rmdir, path)


def _remove(out: Output, remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError as error:
        out.complain(f"can't remove '{path}': {reason(error)}")


def rm(process: Process) -> int:
    """Remove names."""
    usage = "[-irf] FILE..."
    options = parse(
        process.argv[1:], "firR", {"force": "f", "recursive": "r", "interactive": "i"}, usage=usage
    )
    if "f" not in options:
        at_least(options, 1, usage)
    if options.last("fi") == "f":
        options = Options(tuple(item for item in options.given if item[0] != "i"), options.operands)
    with Output(process) as out:
        for path in options.operands:
            if path.rstrip("/").rpartition("/")[2] in (".", ".."):
                out.complain("can't remove '.' or '..'")
                continue
            removed(process, out, path, options)
    return out.status


def truncate(process: Process) -> int:
    """Cut or extend files to a size."""
    usage = "[-c] -s SIZE FILE..."
    options = parse(process.argv[1:], "cs:", {"no-create": "c", "size": "s"}, usage=usage)
    if "s" not in options:
        raise UsageError("", usage)
    at_least(options, 1, usage)
    size = number(options.value("s"), _SIZES)
    with Output(process) as out:
        for path in options.operands:
            try:
                stream = process.fs.open(path, os.O_WRONLY | (0 if "c" in options else os.O_CREAT))
            except OSError as error:
                if not (error.errno == errno.ENOENT and "c" in options):
                    out.complain(f"{path}: open: {reason(error)}")
                continue
            stream.truncate(size)
            stream.close()
    return out.status


def sync(process: Process) -> int:
    """Do nothing: what is written in the simulated world is there at once."""
    parse(process.argv[1:], "df", usage="[-df] [FILE]...")
    return 0


def mkfifo(process: Process) -> int:
    """Make named pipes."""
    usage = "[-m MODE] NAME"
    options = parse(process.argv[1:], "m:", {"mode": "m"}, usage=usage)
    at_least(options, 1, usage)
    for path in options.operands:
        _node(process, options, path, stat.S_IFIFO, 0)
    return 0


def mknod(process: Process) -> int:
    """Make a device or a named pipe."""
    usage = "[-m MODE] NAME TYPE [MAJOR MINOR]"
    options = parse(process.argv[1:], "m:", {"mode": "m"}, usage=usage)
    kinds = {"p": stat.S_IFIFO, "b": stat.S_IFBLK, "c": stat.S_IFCHR, "u": stat.S_IFCHR}
    operands = options.operands
    kind = operands[1] if len(operands) > 1 else ""
    if kind not in kinds or len(operands) != (2 if kind == "p" else 4):
        raise UsageError("", usage)
    rdev = 0 if kind == "p" else device_number(number(operands[2]), number(operands[3]))
    _node(process, options, operands[0], kinds[kind], rdev)
    return 0


def _node(process: Process, options: Options, path: str, kind: int, rdev: int) -> None:
    umask = process.fs.caller.umask
    try:
        mode = (
            changed_mode(options.value("m"), 0o666, umask=umask, directory=False) if "m" in options else None
        )
    except ModeError as error:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path) from error
    process.fs.mknod(path, kind | 0o666, rdev)
    if mode is not None:
        process.fs.chmod(path, mode)
