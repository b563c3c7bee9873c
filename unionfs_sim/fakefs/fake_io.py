"""The stand-in for ``io``: files of the union behind the usual buffers and text wrappers."""

from __future__ import annotations

import errno
import io
import os
import stat
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from unionfs_sim.fakefs.refusal import refuse
from unionfs_sim.fakefs.session import Session
from unionfs_sim.vfs import flags as flags_
from unionfs_sim.vfs.openfile import File

PathLike: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_FLAGS: Final = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
}
_MACHINES_OPEN: Final = open
_IMPORTERS: Final = frozenset({"importlib._bootstrap_external", "_frozen_importlib_external", "zipimport"})
"""Read modules through the C function ``open_code``, which asks for ``io``: us. Theirs are real."""

TOUCH_NO_FILE: Final = frozenset({
    "BytesIO", "StringIO", "TextIOWrapper", "BufferedReader", "BufferedWriter", "BufferedRandom",
    "BufferedRWPair", "IncrementalNewlineDecoder", "IOBase", "RawIOBase", "BufferedIOBase", "TextIOBase",
    "UnsupportedOperation", "BlockingIOError", "text_encoding",
})  # fmt: skip
"""Classes and functions of the real ``io`` that work on memory, or on files made here."""


class UnionFileIO(io.RawIOBase):
    """An unbuffered file of the union: what ``io.FileIO`` is for a real one."""

    # Until it is open: a file that could not be opened is closed all the same when it is forgotten.
    _closefd = False
    _descriptor = -1

    def __init__(
        self,
        session: Session,
        file: PathLike | int,
        mode: str = "r",
        closefd: bool = True,  # noqa: FBT001, FBT002 - io.FileIO's own signature
        opener: Callable[[Any, int], int] | None = None,
    ) -> None:
        kind = _kind(mode)
        flags = _FLAGS[kind] | flags_.CLOEXEC
        if "+" in mode:
            flags = flags & ~3 | os.O_RDWR
        self._session, self._closefd = session, closefd
        self.name = file
        self.mode = _told(kind, plus="+" in mode)
        self._readable, self._writable = kind == "r" or "+" in mode, kind != "r" or "+" in mode
        self._descriptor = self._open(file, flags, opener)
        self._file: File = session.descriptors.get(self._descriptor)
        if stat.S_ISDIR(self._file.stat().st_mode):
            if not isinstance(file, int):
                session.descriptors.close(self._descriptor)
            self._closefd = False
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), file)
        if kind == "a":
            self._file.seek(0, os.SEEK_END)

    def _open(self, file: PathLike | int, flags: int, opener: Callable[[Any, int], int] | None) -> int:
        if isinstance(file, int):
            if file < 0:
                raise ValueError("negative file descriptor")
            self._session.descriptors.get(file)
            return file
        if not self._closefd:
            raise ValueError("Cannot use closefd=False with file name")
        if opener is None:
            return self._session.descriptors.add(self._session.view.open(file, flags, 0o666))
        descriptor = opener(file, flags)
        if not isinstance(descriptor, int):
            raise TypeError("expected integer from opener")
        if descriptor < 0:
            raise ValueError(f"opener returned {descriptor}")
        self._session.descriptors.get(descriptor)
        return descriptor

    def __repr__(self) -> str:
        if self.closed:
            return "<_io.FileIO [closed]>"
        return f"<_io.FileIO name={self.name!r} mode={self.mode!r} closefd={self._closefd}>"

    @property
    def closefd(self) -> bool:
        """Whether closing this closes the descriptor."""
        return self._closefd

    def fileno(self) -> int:
        """The learner's descriptor."""
        self._still_open()
        return self._descriptor

    def _still_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def readable(self) -> bool:
        """Whether it was opened for reading."""
        self._still_open()
        return self._readable

    def writable(self) -> bool:
        """Whether it was opened for writing."""
        self._still_open()
        return self._writable

    def seekable(self) -> bool:
        """Whether it has a position: not a fifo."""
        self._still_open()
        return not stat.S_ISFIFO(self._file.stat().st_mode)

    def readinto(self, buffer: Any, /) -> int:
        """The number of bytes read into ``buffer``."""
        if not self.readable():
            raise io.UnsupportedOperation("File not open for reading")
        view = memoryview(buffer).cast("B")
        piece = self._file.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def readall(self) -> bytes:
        """All bytes from the position on."""
        if not self.readable():
            raise io.UnsupportedOperation("File not open for reading")
        return self._file.read()

    def write(self, data: Any, /) -> int:
        """The number of bytes written."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        return self._file.write(bytes(data))

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position."""
        self._still_open()
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The position."""
        return self.seek(0, os.SEEK_CUR)

    def truncate(self, size: int | None = None, /) -> int:
        """Cut or extend to ``size`` bytes (default: the position)."""
        if not self.writable():
            raise io.UnsupportedOperation("File not open for writing")
        wanted = self.tell() if size is None else size
        self._file.truncate(wanted)
        return wanted

    def isatty(self) -> bool:
        """Never: a union has no terminals."""
        self._still_open()
        return False

    def close(self) -> None:
        """Close it, and the descriptor if it owns it."""
        if self.closed:
            return
        super().close()
        if self._closefd and self._descriptor in self._session.descriptors:
            self._session.descriptors.close(self._descriptor)


def _kind(mode: str) -> str:
    """Which of r, w, a and x a mode is, refused in the words of io.FileIO."""
    strange = [letter for letter in mode if letter not in "axrwb+"]
    if strange:
        raise ValueError(f"invalid mode: {mode}")
    kinds = [letter for letter in mode if letter in _FLAGS]
    if len(kinds) != 1 or mode.count("+") > 1:
        raise ValueError("Must have exactly one of create/read/write/append mode and at most one plus")
    return kinds[0]


def _told(kind: str, *, plus: bool) -> str:
    """The mode as io.FileIO tells it."""
    return {"r": "rb+" if plus else "rb", "w": "rb+" if plus else "wb"}.get(
        kind, f"{kind}b{'+' if plus else ''}"
    )


def _check(mode: str, encoding: str | None, errors: str | None, newline: str | None) -> None:
    """Raise ValueError for a mode that ``io.open`` refuses, in its words."""
    letters, binary = set(mode), "b" in mode
    if letters - set("axrwb+t") or len(mode) > len(letters):
        raise ValueError(f"invalid mode: {mode!r}")
    if binary and "t" in letters:
        raise ValueError("can't have text and binary mode at once")
    if binary and (encoding is not None or errors is not None or newline is not None):
        argument = "encoding" if encoding is not None else "errors" if errors is not None else "newline"
        raise ValueError(
            f"binary mode doesn't take a{'n' if argument != 'newline' else ''} {argument} argument"
        )
    if len(letters & set(_FLAGS)) > 1:
        raise ValueError("must have exactly one of create/read/write/append mode")


class FakeIo:
    """The module ``io`` on a union."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def bound_to(cls, session: Session) -> type[FakeIo]:
        """This class as pyfakefs wants it: made with its file system alone."""

        class Bound(cls):  # type: ignore[valid-type, misc]
            def __init__(self, _filesystem: object = None) -> None:
                super().__init__(session)

        return Bound

    @staticmethod
    def dir() -> tuple[str, ...]:
        """The functions that others import from the module by name."""
        return ("open", "open_code")

    def __getattr__(self, name: str) -> Any:
        found = getattr(io, name)
        return found if name in TOUCH_NO_FILE or not callable(found) else refuse(f"io.{name}")

    @property
    def FileIO(self) -> Any:  # noqa: N802 - io's spelling
        """The class of unbuffered files of the union, one for all modules of a session."""
        session = self._session
        if "FileIO" not in session.made:

            class FileIO(UnionFileIO):
                def __init__(self, *args: Any, **named: Any) -> None:
                    super().__init__(session, *args, **named)

            FileIO.__qualname__ = "FileIO"
            session.made["FileIO"] = FileIO
        return session.made["FileIO"]

    def open_code(self, path: str) -> io.BufferedReader:
        """A file to be executed: read like any other."""
        return self.open(path, "rb")  # type: ignore[no-any-return]

    def open(
        self,
        file: PathLike | int,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,  # noqa: FBT001, FBT002 - io.open's own signature
        opener: Callable[[Any, int], int] | None = None,
    ) -> Any:
        """A file object of the union, with the classes and rules of ``io.open``."""
        if mode == "rb" and sys._getframe(1).f_globals.get("__name__") in _IMPORTERS:
            return _MACHINES_OPEN(file, mode)
        if not isinstance(file, int):
            file = os.fspath(file)
        _check(mode, encoding, errors, newline)
        if buffering == 0 and "b" not in mode:
            raise ValueError("can't have unbuffered text I/O")
        raw = self.FileIO(file, "".join(letter for letter in mode if letter not in "bt"), closefd, opener)
        try:
            return self._wrap(raw, mode, buffering, encoding, errors, newline)
        except BaseException:
            raw.close()
            raise

    def _wrap(
        self,
        raw: UnionFileIO,
        mode: str,
        buffering: int,
        encoding: str | None,
        errors: str | None,
        newline: str | None,
    ) -> Any:
        if buffering == 0:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        if "+" in mode:
            buffer: Any = io.BufferedRandom(raw, size)
        elif raw.writable():
            buffer = io.BufferedWriter(raw, size)
        else:
            buffer = io.BufferedReader(raw, size)
        if "b" in mode:
            return buffer
        text = io.TextIOWrapper(buffer, encoding, errors, newline, line_buffering=buffering == 1)
        text.mode = mode  # type: ignore[misc]
        return text
