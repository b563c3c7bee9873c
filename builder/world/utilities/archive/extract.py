"""What an archive's members become: the rules by which busybox extracts them.

A name never leads out of the directory: a leading ``/`` and everything up to the last ``../`` is removed.
A symlink that leads out (an absolute target, or one with ``..``) is made only after everything else, so that
no member can be written through it.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress

from builder.world.machine.process import Process
from builder.world.utilities.archive.tarformat import Member, MemberReader
from builder.world.utilities.commandline import Options, UsageError
from builder.world.utilities.files.names import make_directories
from builder.world.utilities.streams import Output, reason
from unionfs_sim.accounts import groups, users
from unionfs_sim.vfs.posix import Posix


def safe_name(name: str, warn: Callable[[str], None]) -> str:
    """The name without what could lead out of a directory; ``warn`` is told what was removed."""
    unsafe = 0
    for match in re.finditer(r"(?:^|/)\.\.(?=/|$)", name):
        unsafe = match.end()
    rest = name[unsafe:].lstrip("/") if unsafe or name.startswith("/") else name
    if rest != name:
        removed = name[: len(name) - len(rest)]
        warn(removed)
    return rest


def is_safe_target(target: str) -> bool:
    """Whether a symlink with this target stays within its directory."""
    return not target.startswith("/") and ".." not in target.split("/")


class Extractor:
    """Extracts members into a directory, or to descriptor 1."""

    def __init__(
        self, process: Process, out: Output, options: Options, directory: str, reader: MemberReader
    ) -> None:
        self.process = process
        self.fs: Posix = process.fs.acting_as(process.fs.caller, cwd=directory)
        self.out = out
        self.options = options
        self.reader = reader
        self.strip = int(options.value("1", "0"))
        self.warned = False
        self.postponed: list[Member] = []
        numeric = "4" in options
        self.uids = {} if numeric else {user.name: user.uid for user in users(process.fs)}
        self.gids = {} if numeric else {group.name: group.gid for group in groups(process.fs)}

    def _warn(self, prefix: str) -> None:
        if not self.warned:
            self.out.complain(f"removing leading '{prefix}' from member names", status=self.out.status)
            self.warned = True

    def prepare(self, member: Member) -> bool:
        """Make the member's names safe; False if --strip-components leaves nothing of it."""
        member.name = safe_name(member.name, self._warn)
        if self.strip:
            member.name = _stripped(member.name, self.strip)
            if member.kind == 0:
                member.link = _stripped(member.link, self.strip)
        return bool(member.name)

    def extract(self, member: Member) -> None:
        """Extract one member. UsageError for what busybox gives up at."""
        if "v" in self.options:
            self.out.print(safe_name(member.name, self._warn))
        if not self.prepare(member):
            return
        if "O" in self.options:
            for piece in self.reader.content():
                self.out.write(piece)
            return
        name = member.name.rstrip("/") or member.name
        self._parents(name)
        if member.kind != stat.S_IFDIR:
            self._make_room(name, member)
        try:
            self._make(name, member)
        except OSError as error:
            if member.kind == stat.S_IFREG:
                raise UsageError(f"can't open '{name}': {reason(error)}") from error
            kind = {stat.S_IFDIR: "make dir", stat.S_IFLNK: "create symlink"}.get(member.kind, "create node")
            self.out.complain(f"can't {kind} {name}: {reason(error)}", status=self.out.status)

    def _parents(self, name: str) -> None:
        parent = name.rpartition("/")[0]
        if parent:
            try:
                for _ in make_directories(self.fs, parent):
                    pass
            except OSError as error:
                self.out.complain(f"can't create directory '{parent}': {reason(error)}")

    def _make_room(self, name: str, member: Member) -> None:
        """Take away what has the name, unless it is to be kept or written into."""
        if "k" in self.options or ("W" in self.options and member.kind == stat.S_IFREG):
            return
        try:
            self.fs.unlink(name)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise UsageError(f"can't remove old file {name}: {reason(error)}") from error

    def _make(self, name: str, member: Member) -> None:
        if member.kind == 0 or (member.kind == stat.S_IFLNK and not is_safe_target(member.link)):
            self.postponed.append(member)
            return
        if member.kind == stat.S_IFLNK:
            self.fs.symlink(member.link, name)
        elif member.kind == stat.S_IFDIR:
            try:
                self.fs.mkdir(name, member.mode)
            except FileExistsError:
                if not stat.S_ISDIR(self.fs.stat(name).st_mode):
                    raise
        elif member.kind == stat.S_IFREG:
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if "W" in self.options else os.O_EXCL)
            sink = self.fs.open(name, flags, member.mode)
            for piece in self.reader.content():
                sink.write(piece)
            sink.close()
        else:
            self.fs.mknod(name, member.kind | member.mode, member.rdev)
        self._restore(name, member)

    def _restore(self, name: str, member: Member) -> None:
        fs = self.fs
        if member.kind == stat.S_IFLNK:
            return
        root = fs.caller.uid == 0
        if root and "o" not in self.options:
            fs.chown(name, self.uids.get(member.user, member.uid), self.gids.get(member.group, member.gid))
        # Only root can have given the file away, so only root's copies keep set-id bits.
        mode = member.mode
        if not root:
            mode &= ~(stat.S_ISUID | stat.S_ISGID | (0 if "p" in self.options else fs.caller.umask))
        with suppress(PermissionError):
            if "w" not in self.options:
                fs.chmod(name, mode)
            if "m" not in self.options:
                then = member.mtime * 1_000_000_000
                fs.utime(name, ns=(then, then))

    def finish(self) -> None:
        """Make the links that had to wait."""
        for member in self.postponed:
            name = member.name
            kind = "hardlink" if member.kind == 0 else "symlink"
            try:
                if member.kind == 0:
                    self.fs.link(member.link, name)
                else:
                    self.fs.symlink(member.link, name)
            except OSError as error:
                if member.kind == 0 and error.errno == errno.EEXIST and member.link == name:
                    continue
                raise UsageError(f"can't create {kind} '{name}' to '{member.link}'") from error


def _stripped(name: str, count: int) -> str:
    for _ in range(count):
        _, slash, name = name.partition("/")
        if not slash:
            return ""
        name = name.lstrip("/")
    return name
