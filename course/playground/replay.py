"""The calls of a playground's shell once more on the kernel's overlayfs, and what came out differently."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from course.playground.recording import Call, answer
from course.playground.text import printable
from unionfs_sim import Layer, Union
from unionfs_sim.filesystem import Attributes, Filesystem, Stat
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.host.layer import write_directory
from unionfs_sim.nodes.record import replace
from unionfs_sim.trees import copy_tree

_MARKS: Final = ("opaque", "redirect", "metacopy", "whiteout")
"""What overlayfs writes into an upper that says what is seen; origin and impure are only hints."""

_PIECE: Final = 1 << 20


@dataclass(frozen=True)
class Replay:
    """What to mount for real, and what to do there; each of the three parts runs where its text says.

    ``union``: where ``calls`` led to. Its lowers are what they were: that is what a union is for.
    """

    union: Union
    calls: Sequence[Call]

    @property
    def options(self) -> str:
        """The option string, for a mount in the prepared directory."""
        lowers = tuple(f"l{number}" for number in range(len(self.union.lowers)))
        upper, work = ("upper", "work") if self.union.upper is not None else (None, None)
        return str(replace(self.union.options.as_options(), lowers=lowers, upper=upper, work=work))

    @property
    def needs_other_users(self) -> bool:
        """Whether a call acts as, or gives files to, somebody else than root."""
        return any(
            call.caller.uid or call.caller.gid or (call.verb == "chown" and {*call.args[1:]} - {0, -1})
            for call in self.calls
        )

    def prepare(self) -> None:
        """Write the layers into the empty working directory."""
        for number, layer in enumerate(self.union.lowers):
            os.mkdir(f"l{number}")
            write_directory(layer, f"l{number}")  # type: ignore[arg-type]
        for name in ("upper", "work"):
            os.mkdir(name)

    def act(self) -> bytes:
        """Make the calls, with the union as the root directory; gives what they answered."""
        kernel = Kernel()
        return json.dumps([kernel.made(call) for call in self.calls]).encode()

    def look(self, acted: bytes) -> bytes:
        """What the working directory shows after ``act``, whose answer is passed on."""
        with HostDirectory("merged") as merged, HostDirectory("upper") as upper:
            seen = {"merged": dict(facts(merged)), "upper": dict(self._stored(upper))}
        return json.dumps({"answers": json.loads(acted), **seen}).encode()

    def _stored(self, upper: Filesystem | None) -> Iterator[tuple[str, str]]:
        """The facts of an upper; none if the union has none."""
        if upper is None or self.union.upper is None:
            return iter(())
        return facts(upper, self.union.options.xattr_prefix)

    def differences(self, found: bytes) -> list[str]:
        """What the kernel answered, showed or stored otherwise than the model, a line each."""
        real = json.loads(found)
        lines = []
        for call, other in zip(self.calls, real["answers"], strict=True):
            ours = json.loads(json.dumps(call.answer))
            if ours != other:
                lines.append(f"{_worded(call)}: the model says {_said(ours)}, the kernel {_said(other)}")
        lines += _compared("merged", dict(facts(self.union)), real["merged"])
        lines += _compared("upper", dict(self._stored(self.union.upper)), real["upper"])
        return lines


def _worded(call: Call) -> str:
    """A call as text, its bytes shortened."""
    args = [f"{len(each)} bytes" if isinstance(each, bytes) else repr(each) for each in call.args]
    of = f"file {call.file}: " if call.file is not None and call.verb != "open" else ""
    return printable(f"{of}{call.verb}({', '.join(args)}) by {call.caller.uid}:{call.caller.gid}")


def _said(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"errno"}:
        return errno.errorcode.get(value["errno"], str(value["errno"]))
    return printable(str(value))


class Kernel:
    """Makes recorded calls by system calls of this process, in its own root directory."""

    def __init__(self) -> None:
        self._files: dict[int, int] = {}

    def made(self, call: Call) -> Any:
        """The answer, in the form of the recording."""
        try:
            self._become(call)
            if call.file is not None and call.verb != "open":
                return answer(self._on_file(call))
            if call.verb == "open":
                return self._open(call)
            return answer(_VERBS[call.verb](*call.args, **call.more))
        except OSError as error:
            return {"errno": error.errno}

    def _become(self, call: Call) -> None:
        """Act as the caller; root of a user namespace is the only user that it has."""
        caller = call.caller
        os.umask(caller.umask)
        if (os.geteuid(), os.getegid()) == (caller.uid, caller.gid):
            return
        os.seteuid(0)
        os.setegid(caller.gid)
        os.setgroups(sorted(caller.groups))
        os.seteuid(caller.uid)

    def _open(self, call: Call) -> None:
        path, flags, mode = (*call.args, os.O_RDONLY, 0o666)[:3]
        if len(call.args) == 2:
            mode = 0o666
        # Nobody reads from a fifo here: ENXIO instead of waiting for ever.
        self._files[call.file or 0] = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, mode)

    def _on_file(self, call: Call) -> Any:
        number = self._files.get(call.file or 0)
        if number is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        match call.verb:
            case "read":
                return _read(number, *call.args)
            case "pread":
                return os.pread(number, *call.args)
            case "write":
                return os.write(number, call.args[0])
            case "pwrite":
                return os.pwrite(number, *call.args)
            case "seek":
                return os.lseek(number, *(*call.args, 0)[:2])
            case "truncate":
                return os.ftruncate(number, *call.args)
            case "listdir":
                return os.listdir(number)
        os.close(self._files.pop(call.file or 0))
        return None


def _read(number: int, size: int = -1) -> bytes:
    if size >= 0:
        return os.read(number, size)
    pieces = []
    while piece := os.read(number, _PIECE):
        pieces.append(piece)
    return b"".join(pieces)


def _read_bytes(path: str) -> bytes:
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        return _read(number)
    finally:
        os.close(number)


def _write_bytes(path: str, data: bytes, mode: int = 0o666) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        os.write(number, data)
    finally:
        os.close(number)


def _remove(path: str) -> None:
    if stat.S_ISDIR(os.lstat(path).st_mode):
        os.rmdir(path)
    else:
        os.unlink(path)


def _access(path: str, mode: int, *, follow_symlinks: bool = True) -> bool:
    return os.access(path, mode, effective_ids=True, follow_symlinks=follow_symlinks)


def _xattrs(path: str) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


_VERBS: Final[Mapping[str, Callable[..., Any]]] = {
    "stat": os.stat,
    "lstat": os.lstat,
    "listdir": os.listdir,
    "readlink": os.readlink,
    "exists": os.path.exists,
    "access": _access,
    "content": _read_bytes,
    "read_bytes": _read_bytes,
    "write_bytes": _write_bytes,
    "mkdir": os.mkdir,
    "rmdir": os.rmdir,
    "unlink": os.unlink,
    "remove": _remove,
    "rename": os.rename,
    "link": os.link,
    "symlink": os.symlink,
    "mknod": os.mknod,
    "chmod": os.chmod,
    "chown": os.chown,
    "utime": os.utime,
    "truncate": os.truncate,
    "getxattr": os.getxattr,
    "setxattr": os.setxattr,
    "removexattr": os.removexattr,
    "xattrs": _xattrs,
}


def owned_by_root(layer: Layer) -> Layer:
    """A copy in which all is root's: a user namespace without further ids has nobody else."""
    made = Layer()
    copy_tree(layer, made)
    for path, inode in list(made.inodes()):
        made.setattr(path, Attributes(uid=0, gid=0, mode=inode.mode & 0o7777, mtime_ns=inode.mtime_ns))
    return made


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
