"""cp: copies of files and of trees."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, parse
from builder.world.utilities.files.names import make_directories
from builder.world.utilities.streams import Output, chunks, reason
from builder.world.utilities.walks import Follow, joined
from unionfs_sim.filesystem import Stat

_CP: Final = "[-arPLHpfinlsTu] SOURCE DEST"
MV_USAGE: Final = "[-finT] SOURCE DEST"
_CP_LONG: Final = {
    "archive": "a",
    "recursive": "r",
    "no-dereference": "P",
    "dereference": "L",
    "force": "f",
    "interactive": "i",
    "no-clobber": "n",
    "link": "l",
    "symbolic-link": "s",
    "no-target-directory": "T",
    "target-directory": "t",
    "update": "u",
    "verbose": "v",
    "parents": "!",
}


@dataclass(slots=True)
class Copier:
    """One run of cp: what it was asked, and the hard links that it has seen."""

    process: Process
    out: Output
    options: Options
    follow: Follow
    preserve: bool
    links: dict[tuple[int, int], str] = field(default_factory=dict)
    made: set[tuple[int, int]] = field(default_factory=set)

    @classmethod
    def of(cls, process: Process, out: Output, options: Options) -> Copier:
        """The copier that the options of cp ask for."""
        recursive = any(letter in options for letter in "arR")
        default = "P" if recursive or "d" in options else "L"
        follow = Follow(options.last("PLHda", default).replace("d", "P").replace("a", "P"))
        return cls(process, out, options, follow, "p" in options or "a" in options)

    @property
    def recursive(self) -> bool:
        """Whether directories are copied."""
        return any(letter in self.options for letter in "arR")

    def copy(self, source: str, target: str, depth: int = 0) -> None:
        """Copy what is at ``source`` to ``target``, complaining about what cannot be copied."""
        fs = self.process.fs
        through = self.follow is Follow.ALL or (self.follow is Follow.OPERANDS and depth == 0)
        try:
            status = fs.stat(source) if through else fs.lstat(source)
        except OSError as error:
            self.out.complain(f"can't stat '{source}': {reason(error)}")
            return
        try:
            there = self._present(target)
        except OSError as error:
            self.out.complain(f"can't stat '{target}': {reason(error)}")
            return
        if there is not None and self._skipped(source, status, target, there):
            return
        if stat.S_ISDIR(status.st_mode):
            self._directory(source, status, target, there, depth)
            return
        if there is not None and "i" in self.options:
            self.process.fs.unlink(target)
            there = None
        if not self._linked(source, status, target, there):
            self._file(source, status, target, there)
        if "v" in self.options:
            self.out.print(f"'{source}' -> '{target}'")

    def _present(self, target: str) -> Stat | None:
        try:
            return self.process.fs.lstat(target)
        except FileNotFoundError:
            return None

    def _skipped(self, source: str, status: Stat, target: str, there: Stat) -> bool:
        """Whether the target that exists stands in the way of copying."""
        if (status.st_dev, status.st_ino) == (there.st_dev, there.st_ino):
            self.out.complain(f"'{source}' and '{target}' are the same file")
            return True
        try:
            resolved = self.process.fs.stat(target)
        except OSError:
            resolved = there
        if (status.st_dev, status.st_ino) == (resolved.st_dev, resolved.st_ino) and not stat.S_ISDIR(
            status.st_mode
        ):
            self.out.complain(f"'{source}' and '{target}' are the same file")
            return True
        if stat.S_ISDIR(status.st_mode):
            return False
        if "n" in self.options:
            return True
        if "u" in self.options and status.st_mtime_ns <= resolved.st_mtime_ns:
            return True
        return "i" in self.options and not overwrites(self.process, self.out, target)

    def _directory(self, source: str, status: Stat, target: str, there: Stat | None, depth: int) -> None:
        fs = self.process.fs
        if not self.recursive:
            self.out.complain(f"omitting directory '{source}'")
            return
        if (status.st_dev, status.st_ino) in self.made:
            self.out.complain(f"recursion detected, omitting directory '{source}'")
            return
        created = False
        try:
            if there is not None and not stat.S_ISDIR(fs.stat(target).st_mode):
                self.out.complain(f"target '{target}' is not a directory")
                return
        except OSError as error:
            self.out.complain(f"can't stat '{target}': {reason(error)}")
            return
        if there is None:
            try:
                fs.mkdir(target, 0o700)
            except OSError as error:
                self.out.complain(f"can't create directory '{target}': {reason(error)}")
                return
            created = True
        self._remember(target)
        try:
            names = sorted(fs.listdir(source))
        except OSError:
            self.out.status = 1  # busybox says nothing about a directory that it may not read
            names = []
        for name in names:
            self.copy(joined(source, name), joined(target, name), depth + 1)
        if created:
            fs.chmod(target, status.st_mode & 0o7777 & ~fs.caller.umask)
        if self.preserve:
            self._restore(status, target)
        if "v" in self.options:
            self.out.print(f"'{source}' -> '{target}'")

    def _remember(self, target: str) -> None:
        made = self.process.fs.stat(target)
        self.made.add((made.st_dev, made.st_ino))

    def _linked(self, source: str, status: Stat, target: str, there: Stat | None) -> bool:
        """Whether the target was made as a link, because cp was asked to or the source is one."""
        fs = self.process.fs
        first = self.links.get((status.st_dev, status.st_ino))
        if "s" not in self.options and "l" not in self.options and (first is None or status.st_nlink < 2):
            if (self.recursive or "d" in self.options) and self.follow is not Follow.ALL:
                self.links[status.st_dev, status.st_ino] = target
            return False
        try:
            if there is not None and ("f" in self.options or first is not None):
                fs.unlink(target)
            if "s" in self.options:
                fs.symlink(source, target)
            else:
                fs.link(source if "l" in self.options or first is None else first, target)
        except OSError as error:
            kind = "symlink" if "s" in self.options else "link"
            self.out.complain(
                f"can't create {kind} '{target}': {reason(error)}"
                if kind == "symlink"
                else f"can't create link '{target}' to '{source}': {reason(error)}"
            )
        return True

    def _file(self, source: str, status: Stat, target: str, there: Stat | None) -> None:
        fs = self.process.fs
        kind = stat.S_IFMT(status.st_mode)
        if kind == stat.S_IFREG or (not self.recursive and kind != stat.S_IFLNK):
            if not self._content(source, status, target, there):
                return
        else:
            try:
                if there is not None:
                    fs.unlink(target)
                if kind == stat.S_IFLNK:
                    fs.symlink(fs.readlink(source), target)
                else:
                    fs.mknod(target, status.st_mode, status.st_rdev)
            except OSError as error:
                self.out.complain(f"can't create '{target}': {reason(error)}")
                return
        if self.preserve:
            self._restore(status, target)

    def _content(self, source: str, status: Stat, target: str, there: Stat | None) -> bool:
        fs = self.process.fs
        try:
            reader = self.process.open(source)
        except OSError as error:
            self.out.complain(f"can't open '{source}': {reason(error)}")
            return False
        mode = status.st_mode & 0o7777 if stat.S_ISREG(status.st_mode) else 0o666
        try:
            try:
                writer = self.process.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            except OSError as error:
                if there is None or "f" not in self.options or error.errno in (errno.EISDIR, errno.ENOENT):
                    raise
                fs.unlink(target)
                writer = fs.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except OSError as error:
            reader.close()
            self.out.complain(f"can't create '{target}': {reason(error)}")
            return False
        for piece in chunks(reader):
            writer.write(piece)
        reader.close()
        writer.close()
        return True

    def _restore(self, status: Stat, target: str) -> None:
        """Give the copy the owner, mode and times of the original (-p); what is not permitted is left."""
        fs = self.process.fs
        link = stat.S_ISLNK(status.st_mode)
        mode = status.st_mode & 0o7777
        try:
            if not link:
                fs.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
            fs.chown(target, status.st_uid, status.st_gid, follow_symlinks=not link)
        except OSError as error:
            mode &= ~(stat.S_ISUID | stat.S_ISGID)
            self.out.flush()
            self.process.complain(f"can't preserve ownership of '{target}': {reason(error)}")
        if not link:
            fs.chmod(target, mode)


def overwrites(process: Process, out: Output, target: str) -> bool:
    """Whether the answer on descriptor 0 allows to overwrite the target."""
    out.flush()
    process.stderr.write(f"{process.name}: overwrite '{target}'? ".encode("utf-8", "surrogateescape"))
    first = answer = process.stdin.read(1)
    while answer not in (b"", b"\n"):
        answer = process.stdin.read(1)
    return first in (b"y", b"Y")


def _is_directory(process: Process, path: str) -> bool:
    try:
        return stat.S_ISDIR(process.fs.stat(path).st_mode)
    except OSError:
        return False


def destinations(process: Process, options: Options, usage: str) -> list[tuple[str, str]]:
    """Each source with the path that it goes to."""
    operands = list(options.operands)
    into = options.value("t") if "t" in options else None
    if into is None:
        if len(operands) < 2:
            raise UsageError("", usage)
        last = operands.pop()
        if "T" in options:
            if len(operands) > 1:
                raise UsageError("", usage)
            if _is_directory(process, last) and not (
                usage == MV_USAGE and _is_directory(process, operands[0])
            ):
                raise UsageError(f"'{last}' is a directory")
            return [(operands[0], last)]
        into_itself = usage == _CP and process.fs.exists(last) and _is_directory(process, operands[0])
        if len(operands) == 1 and not _is_directory(process, last) and not into_itself and "!" not in options:
            return [(operands[0], last)]
        into = last
    elif not operands:
        raise UsageError("", usage)
    if "!" in options:
        return [(source, joined(into, source.lstrip("/"))) for source in operands]
    return [(source, joined(into, source.rstrip("/").rpartition("/")[2] or "")) for source in operands]


def cp(process: Process) -> int:
    """Copy files."""
    options = parse(process.argv[1:], "pdRfilsLHarPvuTt:n", _CP_LONG, usage=_CP)
    with Output(process) as out:
        copier = Copier.of(process, out, options)
        for source, target in destinations(process, options, _CP):
            if "!" in options and "/" in target:
                for _ in make_directories(process.fs, target.rpartition("/")[0]):
                    pass
            copier.copy(source, target)
    return out.status
