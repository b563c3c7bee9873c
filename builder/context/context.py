"""The build context: the files that COPY may see, as a tree of its own.

What ``.dockerignore`` excludes is not there; every file belongs to 0:0 and has no extended attributes, as
BuildKit's client sends them; digests of unchanged files are remembered from build to build.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import AnyStr, Final, NoReturn

from builder.context.content import FileContent
from builder.context.digests import DigestCache, FileDigests
from builder.context.ignore import IgnoreFile
from builder.context.paths import join, lstat
from unionfs_sim.filesystem import Attributes, Filesystem, OpenFile, Stat
from unionfs_sim.nodes.content import Content

_NAMES_SHOWN: Final = 8

LABEL: Final = "the build context"


class ContextFile(FileContent):
    """A file of the context; ``digest`` asks the cache first."""

    __slots__ = ("_digests", "_status")

    def __init__(self, context: BuildContext, path: str, status: Stat, digests: FileDigests | None) -> None:
        super().__init__(context, path, status.st_size)
        self._digests = digests
        self._status = status

    def digest(self) -> str:
        """The sha256 of the bytes; not computed if path, size, times and inode are known."""
        digests = self._digests
        if self._digest is None and digests is not None:
            self._digest = digests.recall(self._path, self._status)
            if self._digest is None:
                digests.remember(self._path, self._status, super().digest())
        return super().digest()


class BuildContext:
    """The context as a read-only tree. Implements ``unionfs_sim.filesystem.Filesystem``.

    ``name``: what tells this directory from others in the digest cache. ``clock``: nanoseconds, as the
    files' times are.
    """

    def __init__(
        self,
        files: Filesystem,
        *,
        ignore: IgnoreFile | None = None,
        name: str = "",
        digests: DigestCache | None = None,
        clock: Callable[[], int] = lambda: 0,
    ) -> None:
        self._files = files
        self._ignore = ignore
        self._digests = None if digests is None else FileDigests(digests, name, clock)
        self._visible: dict[str, bool] = {"/": True}

    def hint(self, path: str) -> str | None:
        """Why ``path`` is not there, if .dockerignore is why; or what is there that looks like it."""
        if self._ignore is not None and lstat(self._files, path) is not None:
            parts = path.strip("/").split("/")
            for depth in range(len(parts), 0, -1):
                rule = self._ignore.matches("/".join(parts[:depth]))
                if rule is not None:
                    return f"it is excluded by .dockerignore line {rule.line}: {rule.pattern!r}"
        directory, _, name = path.rpartition("/")
        try:
            names = sorted(self.listdir(directory or "/"))
        except OSError:
            return None
        if not names:
            return "the context is empty" if not directory else None
        alike = [other for other in names if other.lower() == name.lower()] or [
            other for other in names if name and (other.startswith(name) or name.startswith(other))
        ]
        if alike:
            return f"did you mean {join(directory, alike[0]).lstrip('/')!r}?"
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", …" if len(names) > _NAMES_SHOWN else "")
        return f"{directory.lstrip('/') or 'the context'} holds: {shown}"

    def lstat(self, path: str | bytes, /) -> Stat:
        """The attributes of the name itself, owned by 0:0; ENOENT if it is ignored."""
        status = self._files.lstat(path)
        if not self._is_visible(_text(path), status):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return status._replace(st_uid=0, st_gid=0)

    def listdir(self, path: AnyStr, /) -> list[AnyStr]:
        """The names in a directory that are not ignored."""
        names = self._files.listdir(path)
        if self._ignore is None:
            return names
        return [name for name in names if self._is_visible(join(_text(path), _text(name)), None)]

    def readlink(self, path: AnyStr, /) -> AnyStr:
        """The target of a symlink."""
        return self._files.readlink(path)

    def xattrs(self, path: str | bytes, /) -> dict[str, bytes]:  # noqa: ARG002
        """None: they stay behind."""
        return {}

    def open(self, path: str | bytes, flags: int = 0, mode: int = 0o666, /) -> OpenFile:
        """The file, for reading only."""
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            self._refuse(path)
        return self._files.open(path, flags, mode)

    def content(self, path: str, /) -> Content:
        """The bytes of the file, with a digest that is remembered."""
        return self.content_with(path, self.lstat(path))

    def content_with(self, path: str, status: Stat, /) -> Content:
        """The bytes of the file whose attributes are known to be ``status``."""
        return ContextFile(self, path, status, self._digests)

    def mkdir(self, path: str | bytes, mode: int = 0o777, /) -> None:  # noqa: ARG002
        """EROFS: nobody writes to the context."""
        self._refuse(path)

    def mknod(self, path: str | bytes, mode: int = 0o600, rdev: int = 0, /) -> None:  # noqa: ARG002
        """EROFS."""
        self._refuse(path)

    def symlink(self, target: str | bytes, path: str | bytes, /) -> None:  # noqa: ARG002
        """EROFS."""
        self._refuse(path)

    def link(self, source: str | bytes, path: str | bytes, /) -> None:  # noqa: ARG002
        """EROFS."""
        self._refuse(path)

    def remove(self, path: str | bytes, /) -> None:
        """EROFS."""
        self._refuse(path)

    def setattr(self, path: str | bytes, change: Attributes, /) -> None:  # noqa: ARG002
        """EROFS."""
        self._refuse(path)

    def save_digests(self) -> None:
        """Write down the digests that were computed, for the next build; what cannot be listed is skipped."""
        if self._digests is not None:
            self._digests.save(self._names)

    def _names(self, directory: str) -> list[str]:
        try:
            return self._files.listdir(directory)
        except OSError:
            return []

    def _refuse(self, path: str | bytes) -> NoReturn:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    def _is_visible(self, path: str, status: Stat | None) -> bool:
        """Whether .dockerignore lets ``path`` through; a directory also for what is below."""
        if self._ignore is None:
            return True
        known = self._visible.get(path)
        if known is None:
            known = self._ignore.matches(path.strip("/")) is None
            if not known and not self._ignore.excludes_all_below(path):
                found = status or lstat(self._files, path)
                known = found is not None and stat.S_ISDIR(found.st_mode) and self._holds_visible(path)
            self._visible[path] = known
        return known

    def _holds_visible(self, directory: str) -> bool:
        return any(self._is_visible(join(directory, name), None) for name in self._files.listdir(directory))


def _text(path: str | bytes) -> str:
    return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
