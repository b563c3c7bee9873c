"""A look at a real directory through descriptors: one call a directory, and one a name."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from typing import Final

from builder.errors import BuildError
from builder.namespace import syscalls
from builder.snapshotters.ignored import IgnoreList, nothing
from builder.snapshotters.scan.survey import CAPABILITY, Listing, Names

_PIECE: Final = 1 << 20
_BELOW: Final = syscalls.RESOLVE_BENEATH | syscalls.RESOLVE_NO_SYMLINKS | syscalls.RESOLVE_NO_XDEV
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class _Held:
    def __init__(self, path: str, directory: int, names: list[tuple[str, os.stat_result]]) -> None:
        self.path = path
        self.names: Names = names
        self._directory = directory

    def content(self, name: str, /) -> tuple[bytes, bytes]:
        descriptor = os.open(name, _READ, dir_fd=self._directory)
        try:
            has_any = os.listxattr(descriptor)
            capability = os.getxattr(descriptor, CAPABILITY) if CAPABILITY in has_any else b""
            state = hashlib.sha256()
            while piece := os.read(descriptor, _PIECE):
                state.update(piece)
            return state.digest(), capability
        finally:
            os.close(descriptor)

    def target(self, name: str, /) -> str:
        return os.readlink(name, dir_fd=self._directory)

    def __del__(self) -> None:
        os.close(self._directory)


class HeldSurvey:
    """A look at a real directory, which nobody changes meanwhile. ``directory``: a descriptor of it.

    No symlink is followed on any way, and no mount entered: what is mounted in it is left alone, as Kaniko
    leaves mount points alone.
    """

    def __init__(self, directory: int) -> None:
        self._directory = directory
        self._device = os.fstat(directory).st_dev

    def __call__(self, ignored: IgnoreList, /) -> Iterator[Listing]:
        """Names as the directory has them. BuildError for a path that is longer than a layer can name."""
        waiting = ["/"]
        while waiting:
            path = waiting.pop()
            try:
                listing = self.one(path, ignored)
            except OSError as error:
                if error.errno == errno.EXDEV:
                    continue
                raise
            yield listing
            inside = path if path == "/" else path + "/"
            waiting += [inside + name for name, status in listing.names if stat.S_ISDIR(status.st_mode)]

    def one(self, path: str, ignored: IgnoreList, /) -> Listing:
        """One directory alone; EXDEV if something is mounted there."""
        descriptor = self._opened(path)
        try:
            if os.fstat(descriptor).st_dev != self._device:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), path)
            with os.scandir(descriptor) as found:
                names = [(entry.name, entry.stat(follow_symlinks=False)) for entry in found]
        except BaseException:
            os.close(descriptor)
            raise
        is_ignored = ignored.inside(path)
        if is_ignored is not nothing:
            names = [each for each in names if not is_ignored(each[0])]
        return _Held(path, descriptor, names)

    def _opened(self, path: str) -> int:
        try:
            return syscalls.openat2(self._directory, path[1:] or ".", os.O_RDONLY | os.O_DIRECTORY, _BELOW)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise BuildError(
                    f"{path[:60]}… goes on for more than 4095 bytes, which no layer can name",
                    fix="let the command remove what it nests so deep",
                ) from None
            raise
