"""basename, dirname, pwd, readlink, realpath, mktemp and which: names of files."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError, at_least, parse
from builder.world.utilities.filenames import base_name
from builder.world.utilities.streams import Output, guarded_exit, octets, reason
from builder.world.utilities.walks import joined
from unionfs_sim.vfs.posix import Posix

_BASENAME: Final = "FILE [SUFFIX] | -a FILE... | -s SUFFIX FILE..."
_READLINK: Final = "[-fnv] FILE"
_MKTEMP: Final = "[-dt] [-p DIR] [TEMPLATE]"
_ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ATTEMPTS: Final = 1000


def basename(process: Process) -> int:
    """Print the last component of paths."""
    options = parse(process.argv[1:], "+as:", {"multiple": "a", "suffix": "s"}, usage=_BASENAME)
    at_least(options, 1, _BASENAME)
    names = list(options.operands)
    suffix = options.value("s")
    if not options.given:
        if len(names) > 2:
            raise UsageError("", _BASENAME)
        suffix = names.pop() if len(names) == 2 else ""
    with Output(process) as out:
        for name in names:
            base = base_name(name)
            out.print(base.removesuffix(suffix) if base != suffix else base)
    return 0


def dirname(process: Process) -> int:
    """Print a path without its last component."""
    options = parse(process.argv[1:], "", usage="FILENAME")
    if len(options.operands) != 1:
        raise UsageError("", "FILENAME")
    path = options.operands[0]
    stripped = path.rstrip("/")
    directory, slash, _ = stripped.rpartition("/")
    if not stripped and path:
        process.out("/\n" if path != "//" else "//\n")
        return 0
    shortened = directory.rstrip("/") or (directory + slash)
    process.out((shortened or ".") + "\n")
    return 0


def pwd(process: Process) -> int:
    """Print the current directory."""
    parse(process.argv[1:], "LP", usage="")
    process.out(process.cwd + "\n")
    return 0


def real_path(process: Process, path: str) -> str:
    """The absolute path without symlinks, ``.`` and ``..``; the OSError of a component that is not there."""
    fs = process.fs
    if not path:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
    pending = [part for part in joined(process.cwd, path).split("/") if part][::-1]
    if path.startswith("/"):
        pending = [part for part in path.split("/") if part][::-1]
    resolved, links = "/", 0
    while pending:
        part = pending.pop()
        if part == ".":
            continue
        if part == "..":
            resolved = resolved.rpartition("/")[0] or "/"
            continue
        step = joined(resolved, part)
        try:
            status = fs.lstat(step)
        except FileNotFoundError:
            # Only where a symlink led may the last component be missing, as in busybox.
            if links == 0 or pending:
                raise
            return step
        if not stat.S_ISLNK(status.st_mode):
            if pending and not stat.S_ISDIR(status.st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            resolved = step
            continue
        links += 1
        if links > 40:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        target = fs.readlink(step)
        resolved = "/" if target.startswith("/") else resolved
        pending.extend([name for name in target.split("/") if name][::-1])
    return resolved


def readlink(process: Process) -> int:
    """Print the target of a symlink, or with -f the path without any symlink."""
    options = parse(process.argv[1:], "fnv", usage=_READLINK)
    if len(options.operands) != 1:
        raise UsageError("", _READLINK)
    path = options.operands[0]
    try:
        answer = real_path(process, path) if "f" in options else process.fs.readlink(path)
    except OSError as error:
        if "v" in options:
            said = "not a symlink" if error.errno == errno.EINVAL else reason(error)
            process.complain(f"{path}: cannot read link: {said}")
        return 1
    process.stdout.write(octets(answer) + (b"" if "n" in options else b"\n"))
    return 0


def realpath(process: Process) -> int:
    """Print absolute paths without symlinks."""
    options = parse(process.argv[1:], "", usage="FILE...")
    at_least(options, 1, "FILE...")
    with Output(process) as out:
        for path in options.operands:
            try:
                out.print(real_path(process, path))
            except OSError as error:
                out.failed(path, error)
    return out.status


def _names(template: str, seed: str) -> Iterator[str]:
    """The template with its X's filled, differently each time, but the same in the same situation."""
    stem = template.rstrip("X")
    count = len(template) - len(stem)
    for attempt in range(_ATTEMPTS):
        digest = hashlib.sha256(f"{seed}:{template}:{attempt}".encode("utf-8", "surrogateescape")).digest()
        yield stem + "".join(_ALPHABET[digest[at % 32] % len(_ALPHABET)] for at in range(count))


def _made(fs: Posix, path: str, *, directory: bool) -> bool:
    """Whether the file or directory was made; False if something has that name."""
    try:
        if directory:
            fs.mkdir(path, 0o700)
        else:
            fs.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600).close()
    except FileExistsError:
        return False
    return True


def mktemp(process: Process) -> int:
    """Make a temporary file and print its name. The name depends on what is there, not on chance."""
    long = {"directory": "d", "quiet": "q", "tmpdir": "p", "dry-run": "u"}
    options = parse(process.argv[1:], "dqtp:u", long, usage=_MKTEMP)
    if len(options.operands) > 1:
        raise UsageError("", _MKTEMP)
    template = options.operands[0] if options.operands else "tmp.XXXXXX"
    if not options.operands or "t" in options or "p" in options:
        where = options.value("p") if "p" in options else process.env.get("TMPDIR") or "/tmp"
        template = joined(where, template)
    if not template.endswith("XXXXXX"):
        if "q" not in options:
            process.complain(f"{template}: {os.strerror(errno.EINVAL)}")
        return 1
    try:
        for path in _names(template, str(process.fs.caller.uid)):
            taken = (
                process.fs.exists(path)
                if "u" in options
                else not _made(process.fs, path, directory="d" in options)
            )
            if not taken:
                process.out(path + "\n")
                return 0
    except OSError as error:
        if "q" not in options:
            guarded_exit(process, OSError(error.errno, error.strerror, template))
        return 1
    process.complain(f"{template}: {os.strerror(errno.EEXIST)}")
    return 1


def _executables(process: Process, command: str) -> Iterator[str]:
    places = [""] if "/" in command else process.env.get("PATH", "/sbin:/usr/sbin:/bin:/usr/bin").split(":")
    for place in places:
        path = command if "/" in command else joined(place or ".", command)
        try:
            regular = stat.S_ISREG(process.fs.stat(path).st_mode)
        except OSError:
            continue
        if regular and process.fs.access(path, os.X_OK):
            yield path


def which(process: Process) -> int:
    """Print where commands are."""
    options = parse(process.argv[1:], "a", usage="[-a] COMMAND...")
    at_least(options, 1, "[-a] COMMAND...")
    status = 0
    for command in options.operands:
        found = list(_executables(process, command))
        for path in found if "a" in options else found[:1]:
            process.out(path + "\n")
        status = status if found else 1
    return status
