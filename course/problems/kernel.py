"""The same operations on the kernel's overlayfs, mounted where nobody else sees it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from builder.namespace import overlaymount
from course.problems.operations import act
from unionfs_sim import Layer
from unionfs_sim.host.layer import write_directory


@dataclass(frozen=True, slots=True)
class Seen:
    """What the kernel left: the entries of the upper as in ``listing.entries``, and all visible paths."""

    upper: dict[str, str]
    visible: list[str]


def replayed(lowers: Sequence[Layer], lines: Sequence[str]) -> Seen:
    """What ``lines`` leave on a real overlay mount of ``lowers``; a BuildError where none can be made."""
    work = _Work(lowers, lines, overlaymount.needs_userxattr())
    said = json.loads(overlaymount.on_overlay(work))
    return Seen(dict(said["upper"]), list(said["visible"]))


@dataclass(frozen=True, slots=True)
class _Work:
    """See overlaymount.Work; the three parts run in children."""

    lowers: Sequence[Layer]
    lines: Sequence[str]
    userxattr: bool

    @property
    def options(self) -> str:
        tops = ":".join(f"l{number}" for number in reversed(range(len(self.lowers))))
        return f"lowerdir={tops},upperdir=upper,workdir=work" + (",userxattr" if self.userxattr else "")

    def prepare(self) -> None:
        for number, lower in enumerate(self.lowers):
            os.mkdir(f"l{number}")
            write_directory(lower, f"l{number}")
        os.mkdir("upper")
        os.mkdir("work")

    def act(self) -> bytes:
        os.umask(0o022)
        for line in self.lines:
            act(_Root(), line)
        return b""

    def look(self, _acted: bytes, /) -> bytes:
        opaque = ("user" if self.userxattr else "trusted") + ".overlay.opaque"
        upper = {path[len("upper") :]: _kind(path, opaque) for path in _paths("upper")}
        visible = sorted(path[len("merged") :] for path in _paths("merged"))
        return json.dumps({"upper": dict(sorted(upper.items())), "visible": visible}).encode()


class _Root:
    """The verbs of operations.Machine on this process's own root directory."""

    unlink = staticmethod(os.unlink)
    rmdir = staticmethod(os.rmdir)
    listdir = staticmethod(os.listdir)
    mkdir = staticmethod(os.mkdir)
    chmod = staticmethod(os.chmod)
    rename = staticmethod(os.rename)
    link = staticmethod(os.link)

    def is_directory(self, path: str) -> bool:
        """Whether a directory stands there itself."""
        return stat.S_ISDIR(os.lstat(path).st_mode)

    def write(self, path: str, said: bytes, flags: int) -> None:
        """Open, write, close."""
        descriptor = os.open(path, flags | os.O_CLOEXEC, 0o644)
        try:
            os.write(descriptor, said)
        finally:
            os.close(descriptor)


def _paths(top: str) -> Iterator[str]:
    for above, directories, files in os.walk(top):
        yield from (f"{above}/{name}" for name in (*directories, *files))


def _kind(path: str, opaque: str) -> str:
    status = os.lstat(path)
    if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
        return "whiteout"
    if stat.S_ISDIR(status.st_mode):
        marked = opaque in os.listxattr(path) and os.getxattr(path, opaque) == b"y"
        return "opaque dir" if marked else "dir"
    return "symlink" if stat.S_ISLNK(status.st_mode) else "file"
