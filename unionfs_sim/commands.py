"""The playground's commands: short forms of the utilities, written on the verbs of os."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from unionfs_sim.vfs.posix import Posix

Command: TypeAlias = Callable[[Posix, Sequence[str]], Iterable[str]]


def _options(words: Sequence[str], known: str) -> tuple[set[str], list[str]]:
    """(option letters, operands); EINVAL for a letter that the command does not have."""
    letters: set[str] = set()
    operands: list[str] = []
    for word in words:
        if len(word) > 1 and word[0] == "-" and not operands:
            letters |= set(word[1:])
        else:
            operands.append(word)
    for letter in sorted(letters - set(known)):
        raise OSError(errno.EINVAL, f"there is no option -{letter} here (known: {known or 'none'})")
    return letters, operands


def _needs(operands: Sequence[str], least: int, usage: str) -> None:
    if len(operands) < least:
        raise OSError(errno.EINVAL, f"usage: {usage}")


def _octal(text: str) -> int:
    if not text or set(text) - set("01234567") or len(text) > 5:
        raise OSError(errno.EINVAL, f"a mode is octal here, such as 755: {text!r}")
    return int(text, 8)


def _inside(fs: Posix, source: str, target: str) -> str:
    """``target``, or the name in it that a copy or move to a directory takes."""
    try:
        is_directory = stat.S_ISDIR(fs.stat(target).st_mode)
    except OSError:
        return target
    return os.path.join(target, os.path.basename(source.rstrip("/"))) if is_directory else target


def _echo(_: Posix, words: Sequence[str]) -> Iterator[str]:
    yield " ".join(words)


def _cat(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    _needs(words, 1, "cat FILE...")
    for path in words:
        with fs.open(path) as file:
            text = file.read(1 << 16).decode("utf-8", "surrogateescape")
        yield from text.splitlines()


def _ls(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    letters, operands = _options(words, "al")
    for path in operands or ["/"]:
        if not stat.S_ISDIR(fs.lstat(path).st_mode):
            yield _long(fs, path, path) if "l" in letters else path
            continue
        for name in sorted(fs.listdir(path)):
            if "a" in letters or name[0] != ".":
                yield _long(fs, os.path.join(path, name), name) if "l" in letters else name


def _long(fs: Posix, path: str, name: str) -> str:
    told = fs.lstat(path)
    arrow = f" -> {fs.readlink(path)}" if stat.S_ISLNK(told.st_mode) else ""
    mode = stat.filemode(told.st_mode)
    return f"{mode} {told.st_nlink:>2} {told.st_uid:>4} {told.st_gid:>4} {told.st_size:>7} {name}{arrow}"


def _stat(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    _needs(words, 1, "stat PATH...")
    for path in words:
        told = fs.lstat(path)
        yield _long(fs, path, path)
        yield f"  inode {told.st_ino}  device {told.st_dev}  mtime {told.st_mtime_ns} ns"


def _rm(fs: Posix, words: Sequence[str]) -> list[str]:
    letters, operands = _options(words, "rf")
    _needs(operands, 1, "rm [-rf] PATH...")
    for path in operands:
        try:
            _remove(fs, path, recursive="r" in letters)
        except FileNotFoundError:
            if "f" not in letters:
                raise
    return []


def _remove(fs: Posix, path: str, *, recursive: bool) -> None:
    if recursive and stat.S_ISDIR(fs.lstat(path).st_mode):
        for name in sorted(fs.listdir(path)):
            _remove(fs, os.path.join(path, name), recursive=True)
        fs.rmdir(path)
    else:
        fs.unlink(path)


def _mkdir(fs: Posix, words: Sequence[str]) -> list[str]:
    letters, operands = _options(words, "p")
    _needs(operands, 1, "mkdir [-p] DIR...")
    for path in operands:
        if "p" in letters:
            parts = [part for part in path.split("/") if part]
            for depth in range(1, len(parts)):
                above = "/" + "/".join(parts[:depth])
                if not fs.exists(above):
                    fs.mkdir(above)
            if fs.exists(path):
                continue
        fs.mkdir(path)
    return []


def _mv(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    _needs(words, 2, "mv SOURCE TARGET")
    source, target = words[0], _inside(fs, words[0], words[1])
    try:
        fs.rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Without redirect_dir a directory of a lower layer cannot be renamed.
        yield "EXDEV: the directory lies in a lower layer; mv copies it instead"
        _copy(fs, source, target)
        _remove(fs, source, recursive=True)


def _cp(fs: Posix, words: Sequence[str]) -> list[str]:
    letters, operands = _options(words, "r")
    _needs(operands, 2, "cp [-r] SOURCE TARGET")
    source, target = operands[0], _inside(fs, operands[0], operands[1])
    if stat.S_ISDIR(fs.stat(source).st_mode) and "r" not in letters:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), source)
    _copy(fs, source, target)
    return []


def _copy(fs: Posix, source: str, target: str) -> None:
    told = fs.lstat(source)
    if stat.S_ISDIR(told.st_mode):
        if target == source or target.startswith(source.rstrip("/") + "/"):
            raise OSError(errno.EINVAL, "a directory cannot be copied into itself", target)
        fs.mkdir(target)
        for name in sorted(fs.listdir(source)):
            _copy(fs, os.path.join(source, name), os.path.join(target, name))
        fs.chmod(target, stat.S_IMODE(told.st_mode))
    elif stat.S_ISLNK(told.st_mode):
        fs.symlink(fs.readlink(source), target)
    elif stat.S_ISREG(told.st_mode):
        fs.write_bytes(target, fs.read_bytes(source), stat.S_IMODE(told.st_mode))
    else:
        fs.mknod(target, told.st_mode, told.st_rdev)


def _ln(fs: Posix, words: Sequence[str]) -> list[str]:
    letters, operands = _options(words, "s")
    _needs(operands, 2, "ln [-s] TARGET NAME")
    target, name = operands[0], _inside(fs, operands[0], operands[1])
    if "s" in letters:
        fs.symlink(target, name)
    else:
        fs.link(target, name)
    return []


def _touch(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 1, "touch FILE...")
    for path in words:
        if fs.exists(path):
            fs.utime(path)
        else:
            fs.open(path, os.O_WRONLY | os.O_CREAT).close()
    return []


def _chmod(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 2, "chmod MODE PATH...")
    for path in words[1:]:
        fs.chmod(path, _octal(words[0]))
    return []


def _chown(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 2, "chown UID[:GID] PATH...")
    uid, _, gid = words[0].partition(":")
    if not all(part.isdigit() for part in (uid or "0", gid or "0")) or len(words[0]) > 21:
        raise OSError(errno.EINVAL, f"owners are numbers here, such as 1000:1000: {words[0]!r}")
    for path in words[1:]:
        fs.chown(path, int(uid) if uid else -1, int(gid) if gid else -1, follow_symlinks=False)
    return []


def _truncate(fs: Posix, words: Sequence[str]) -> list[str]:
    letters, operands = _options(words, "s")
    if "s" not in letters or len(operands) < 2 or not operands[0].isdigit() or len(operands[0]) > 18:
        raise OSError(errno.EINVAL, "usage: truncate -s BYTES FILE...")
    for path in operands[1:]:
        fs.truncate(path, int(operands[0]))
    return []


def _mkfifo(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 1, "mkfifo NAME...")
    for path in words:
        fs.mknod(path, stat.S_IFIFO | 0o644)
    return []


def _readlink(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    _needs(words, 1, "readlink NAME...")
    for path in words:
        yield fs.readlink(path)


def _rmdir(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 1, "rmdir DIR...")
    for path in words:
        fs.rmdir(path)
    return []


def _getfattr(fs: Posix, words: Sequence[str]) -> Iterator[str]:
    _needs(words, 1, "getfattr PATH...")
    for path in words:
        for name, value in sorted(fs.xattrs(path).items()):
            yield f"{name}={value!r}"


def _setfattr(fs: Posix, words: Sequence[str]) -> list[str]:
    _needs(words, 3, "setfattr NAME VALUE PATH...")
    for path in words[2:]:
        fs.setxattr(path, words[0], words[1].encode("utf-8", "surrogateescape"))
    return []


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType({
    "cat": _cat,
    "chmod": _chmod,
    "chown": _chown,
    "cp": _cp,
    "echo": _echo,
    "getfattr": _getfattr,
    "ln": _ln,
    "ls": _ls,
    "mkdir": _mkdir,
    "mkfifo": _mkfifo,
    "mv": _mv,
    "readlink": _readlink,
    "rm": _rm,
    "rmdir": _rmdir,
    "setfattr": _setfattr,
    "stat": _stat,
    "touch": _touch,
    "truncate": _truncate,
})  # fmt: skip
"""Command → what it does; it yields what it prints and raises OSError as the kernel would."""
