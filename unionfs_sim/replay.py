"""A playground's commands once more, on the kernel's overlayfs, and what came out differently there."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from unionfs_sim.filesystem import Attributes, Filesystem, Stat
from unionfs_sim.host.directory import HostDirectory, HostFile
from unionfs_sim.host.layer import write_directory
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import Union, mount
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.record import replace
from unionfs_sim.render import printable
from unionfs_sim.trees import copy_tree
from unionfs_sim.typed import Typed, parse, user
from unionfs_sim.vfs.posix import Posix

_MARKS: Final = ("opaque", "redirect", "metacopy", "whiteout")
"""What overlayfs writes into an upper that says what is seen; origin and impure are only hints."""

_MACHINE: Final = re.compile(r"^  inode .*|(?<=^d)(\S+ +\S+ +\S+ +\S+ +)\S+")
"""What each file system tells as it likes: inodes and times, the sizes of directories."""


@dataclass(frozen=True)
class Replay:
    """What to mount for real, and what to do there; each of the three parts runs where its text says."""

    union: Union
    """The union that ``lines`` led to. Its lowers are what they were: that is what a union is for."""
    lines: Sequence[str]

    @property
    def options(self) -> str:
        """The option string, for a mount in the prepared directory."""
        lowers = tuple(f"l{number}" for number in range(len(self.union.lowers)))
        upper, work = ("upper", "work") if self.union.upper is not None else (None, None)
        return str(replace(self.union.options.as_options(), lowers=lowers, upper=upper, work=work))

    @property
    def needs_other_users(self) -> bool:
        """Whether a line acts as, or gives files to, somebody else than root."""
        return any(parse(line).words[0] in ("su", "chown") for line in self.lines)

    def prepare(self) -> None:
        """Write the layers into the empty working directory."""
        for number, layer in enumerate(self.union.lowers):
            os.mkdir(f"l{number}")
            write_directory(layer, f"l{number}")  # type: ignore[arg-type]
        for name in ("upper", "work"):
            os.mkdir(name)

    def act(self) -> bytes:
        """Make the calls, with the union as the root directory; gives what they printed."""
        os.umask(0o022)
        view = KernelView()
        return json.dumps([_act(view, line) for line in self.lines]).encode()

    def look(self, acted: bytes) -> bytes:
        """What the working directory shows after ``act``, whose answer is passed on."""
        with HostDirectory("merged") as merged, HostDirectory("upper") as upper:
            seen = {"merged": dict(facts(merged)), "upper": dict(self._stored(upper))}
        return json.dumps({"outputs": json.loads(acted), **seen}).encode()

    def _stored(self, upper: Filesystem | None) -> Iterator[tuple[str, str]]:
        """The facts of an upper; none if the union has none."""
        if upper is None or self.union.upper is None:
            return iter(())
        return facts(upper, self.union.options.xattr_prefix)

    def _outputs(self) -> list[list[str]]:
        """What the lines print on the model, from the start."""
        upper = Layer() if self.union.upper is not None else None
        view = ModelView(mount(self.union.lowers, upper, options=self.union.options.as_options()))
        return [_act(view, line) for line in self.lines]

    def differences(self, found: bytes) -> list[str]:
        """What the kernel showed otherwise than the model, a line each."""
        real = json.loads(found)
        lines = []
        for line, output, other in zip(self.lines, self._outputs(), real["outputs"], strict=True):
            model, kernel = _comparable(output), _comparable(other)
            if model != kernel:
                lines.append(f"{line}: the model says {model}, the kernel {kernel}")
        lines += _compared("merged", dict(facts(self.union)), real["merged"])
        lines += _compared("upper", dict(self._stored(self.union.upper)), real["upper"])
        return lines


class View(Protocol):
    """Whose files the commands change, by whom."""

    def become(self, uid: int, gid: int, /) -> None:
        """Act as another user."""
        ...

    def perform(self, typed: Typed, /) -> list[str]:
        """What the command prints."""
        ...


def _act(view: View, line: str) -> list[str]:
    typed = parse(line)
    if typed.words[0] != "su":
        return view.perform(typed)
    try:
        view.become(*user(typed.words))
    except OSError as error:
        return [f"su: {error.strerror}"]
    return []


class ModelView:
    """The commands on a union."""

    def __init__(self, union: Union) -> None:
        self._union = union
        self._view: Posix = union

    def become(self, uid: int, gid: int) -> None:
        """See View."""
        self._view = self._union.acting_as(Caller(uid, gid))

    def perform(self, typed: Typed) -> list[str]:
        """See View."""
        return typed.perform(self._view)


def owned_by_root(layer: Layer) -> Layer:
    """A copy in which all is root's: a user namespace without further ids has nobody else."""
    made = Layer()
    copy_tree(layer, made)
    for path, inode in list(made.inodes()):
        made.setattr(path, Attributes(uid=0, gid=0, mode=inode.mode & 0o7777, mtime_ns=inode.mtime_ns))
    return made


def _comparable(output: Sequence[str]) -> list[str]:
    return [_MACHINE.sub(lambda found: found[1] or "", line) for line in output]


def _compared(where: str, model: Mapping[str, str], kernel: Mapping[str, str]) -> Iterator[str]:
    for path in sorted(model.keys() | kernel.keys()):
        ours, theirs = model.get(path, "nothing"), kernel.get(path, "nothing")
        if ours != theirs:
            yield f"{where} {printable(path)}: the model has {ours}, the kernel {theirs}"


def facts(fs: Filesystem, private: str | None = None) -> Iterator[tuple[str, str]]:
    """What each path is, in a line that two file systems can agree about.

    ``private``: how the union's own attributes are called, if the tree is a raw layer.
    """
    waiting = ["/"]
    while waiting:
        path = waiting.pop()
        try:
            told = fs.lstat(path)
        except FileNotFoundError:
            yield path, "a name that leads nowhere"
            continue
        yield path, " ".join(_fact(fs, path, told, private))
        if stat.S_ISDIR(told.st_mode):
            waiting += [f"{path.rstrip('/')}/{name}" for name in fs.listdir(path)]


def _fact(fs: Filesystem, path: str, told: Stat, private: str | None) -> Iterator[str]:
    if private is not None and stat.S_ISCHR(told.st_mode) and told.st_rdev == 0:
        yield "a whiteout"  # one may stand for many: its owner and links say nothing
        return
    yield f"{stat.filemode(told.st_mode)} {told.st_uid}:{told.st_gid}"
    if not stat.S_ISDIR(told.st_mode):
        yield f"{told.st_nlink} links"
    match stat.S_IFMT(told.st_mode):
        case stat.S_IFLNK:
            yield f"-> {printable(fs.readlink(path))}"
        case stat.S_IFREG:
            with fs.open(path, os.O_RDONLY) as file:  # type: ignore[attr-defined]
                content = file.read()
            yield f"{len(content)} bytes {hashlib.sha256(content).hexdigest()[:8]}"
        case stat.S_IFCHR | stat.S_IFBLK:
            yield f"device {told.st_rdev}"
    for name, value in sorted(fs.xattrs(path).items()):
        if private is not None and name.startswith(private):
            if name.removeprefix(private) in _MARKS:
                yield f"{name.removeprefix(private)}={value!r}"
        elif name.startswith(("user.", "trusted.")):
            yield f"{name}={value!r}"


class KernelView:
    """The verbs of ``Posix`` that the playground's commands use, on this process's own root directory."""

    lstat = staticmethod(os.lstat)
    stat = staticmethod(os.stat)
    listdir = staticmethod(os.listdir)
    readlink = staticmethod(os.readlink)
    exists = staticmethod(os.path.exists)
    mkdir = staticmethod(os.mkdir)
    rmdir = staticmethod(os.rmdir)
    unlink = staticmethod(os.unlink)
    rename = staticmethod(os.rename)
    link = staticmethod(os.link)
    symlink = staticmethod(os.symlink)
    chmod = staticmethod(os.chmod)
    chown = staticmethod(os.chown)
    utime = staticmethod(os.utime)
    truncate = staticmethod(os.truncate)
    setxattr = staticmethod(os.setxattr)

    def open(self, path: str, flags: int = os.O_RDONLY, mode: int = 0o666) -> HostFile:
        """An open file; a fifo without a second end does not block."""
        return HostFile(os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, mode))

    def mknod(self, path: str, mode: int, rdev: int = 0) -> None:
        """os.mknod, whose error alone does not name the path."""
        try:
            os.mknod(path, mode, rdev)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from None

    def read_bytes(self, path: str) -> bytes:
        """The whole file."""
        with self.open(path) as file:
            return file.read()

    def write_bytes(self, path: str, content: bytes, mode: int = 0o666) -> None:
        """Make or overwrite the file."""
        with self.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode) as file:
            file.write(content)

    def xattrs(self, path: str) -> Mapping[str, bytes]:
        """All extended attributes."""
        names = os.listxattr(path, follow_symlinks=False)
        return MappingProxyType({name: os.getxattr(path, name, follow_symlinks=False) for name in names})

    def perform(self, typed: Typed) -> list[str]:
        """See View."""
        return typed.perform(self)

    def become(self, uid: int, gid: int) -> None:
        """See View; root of a user namespace is the only user that it has."""
        os.seteuid(0)
        try:
            os.setegid(gid)
            os.seteuid(uid)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise OSError(errno.EPERM, f"su {uid} on the kernel needs root") from None
