"""The file-system calls that a shell makes on a tree: what was asked, by whom, and what the answer was."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.content import Content
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.posix import Posix

_LOOKING: Final = ("stat", "lstat", "listdir", "readlink", "exists", "access", "content", "read_bytes")
_CHANGING: Final = ("mkdir", "rmdir", "unlink", "remove", "mknod", "write_bytes", "truncate")
_ATTRIBUTES: Final = ("chmod", "chown", "utime", "getxattr", "setxattr", "removexattr", "xattrs")

PATHS: Final[Mapping[str, tuple[int, ...]]] = {
    **dict.fromkeys((*_LOOKING, *_CHANGING, *_ATTRIBUTES, "open"), (0,)),
    **dict.fromkeys(("rename", "link"), (0, 1)),
    "symlink": (1,),
}
"""The verbs that are recorded, and which of their arguments are paths."""

FILE_VERBS: Final = frozenset({"read", "write", "pread", "pwrite", "seek", "truncate", "close", "listdir"})
"""What is recorded of an open file."""

_FEW_BYTES: Final = 64
_PUBLIC: Final = ("user.", "trusted.")
_DEVICES: Final = ("/dev/", "/proc/", "/sys/")


class Call(NamedTuple):
    """One call. ``file``: of which open file (``open`` makes it), else None. ``answer``: see the function."""

    verb: str
    args: tuple[Any, ...]
    more: Mapping[str, Any]
    caller: Caller
    file: int | None
    answer: Any


def answer(value: Any) -> Any:
    """What a call gave, as two file systems can agree about it: no inodes, times or sizes of directories."""
    match value:
        case Stat():
            return _attributes(value.st_mode, value.st_uid, value.st_gid, value.st_nlink, value.st_size)
        case os.stat_result():
            return _attributes(value.st_mode, value.st_uid, value.st_gid, value.st_nlink, value.st_size)
        case list():
            return sorted(map(str, value))
        case bytes():
            return (
                value.hex() if len(value) <= 64 else f"{len(value)} bytes {Content.of(value).digest()[:16]}"
            )
        case Content():
            return answer(value.read())
        case dict():
            return {
                name: each.hex() for name, each in value.items() if name.startswith(("user.", "trusted."))
            }
        case str() | int() | bool() | None:
            return value
    return None


def _attributes(mode: int, uid: int, gid: int, nlink: int, size: int) -> list[int | None]:
    is_directory = stat.S_ISDIR(mode)
    return [mode, uid, gid, None if is_directory else nlink, None if is_directory else size]


class Tape:
    """The calls so far, and how many files were opened."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._files = 0

    def new_file(self) -> int:
        """The number of the next open file."""
        self._files += 1
        return self._files

    def cut(self) -> list[Call]:
        """The calls since the last cut."""
        calls, self.calls = self.calls, []
        return calls


class Recorder:
    """A view of a tree that notes every call on ``tape`` and passes it on; stands in for a ``Posix``."""

    def __init__(self, view: Posix, tape: Tape, cwd: str = "/") -> None:
        self._view = view
        self._tape = tape
        self._cwd = cwd

    def acting_as(self, caller: Caller, *, cwd: Any = "/", root: Any = "/") -> Recorder:
        """The same for another caller and directory."""
        return Recorder(self._view.acting_as(caller, cwd=cwd, root=root), self._tape, os.fsdecode(cwd))

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._view, name)
        return self._recording(name, verb) if name in PATHS else verb

    def _recording(self, name: str, verb: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(*args: Any, **more: Any) -> Any:
            asked = self._absolute(name, args)
            if any(str(asked[at]).startswith(_DEVICES) for at in PATHS[name] if at < len(asked)):
                return verb(*args, **more)
            file = self._tape.new_file() if name == "open" else None
            try:
                found = verb(*args, **more)
            except OSError as error:
                self._note(name, asked, more, file, {"errno": error.errno})
                raise
            if isinstance(found, File) and file is not None:
                self._note(name, asked, more, file, None)
                return RecordedFile(found, self._tape, self._view.caller, file)
            self._note(name, asked, more, file, answer(found))
            return found

        return recorded

    def _absolute(self, name: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments with paths from the root; a slash at the end is kept, it means something."""
        found = list(args)
        if not found and name == "listdir":
            found = ["/"]
        for at in PATHS[name]:
            if at < len(found):
                found[at] = posixpath.join(self._cwd, os.fsdecode(found[at]))
        return tuple(found)

    def _note(
        self, name: str, args: tuple[Any, ...], more: dict[str, Any], file: int | None, said: Any
    ) -> None:
        self._tape.calls.append(Call(name, args, dict(more), self._view.caller, file, said))


class RecordedFile:
    """An open file whose calls are noted."""

    def __init__(self, file: File, tape: Tape, caller: Caller, number: int) -> None:
        self._file = file
        self._tape = tape
        self._caller = caller
        self._number = number

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._file, name)
        if name not in FILE_VERBS:
            return verb

        def recorded(*args: Any, **more: Any) -> Any:
            try:
                found = verb(*args, **more)
            except OSError as error:
                self._note(name, args, more, {"errno": error.errno})
                raise
            self._note(name, args, more, answer(found))
            return found

        return recorded

    def _note(self, name: str, args: tuple[Any, ...], more: dict[str, Any], said: Any) -> None:
        self._tape.calls.append(Call(name, args, more, self._caller, self._number, said))

    def __enter__(self) -> RecordedFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
