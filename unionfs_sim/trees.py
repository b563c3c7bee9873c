"""Walking, copying and removing any tree: a raw layer, a union, a real directory.

Both ends of a copy are ``Filesystem``s, so the same code fills a real directory from a layer, a layer from a
real directory's view, and a root file system from an image: plainly, or as a layer whose deletions are
carried out.
"""

from __future__ import annotations

import enum
import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from unionfs_sim.filesystem import Attributes, Filesystem, Stat
from unionfs_sim.layers.markers import OPAQUE_XATTR, PRIVATE, WHITEOUT_XATTR, unescaped

_PIECE: Final = 1 << 20
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL


class Fidelity(enum.Enum):
    """How much of a file's attributes is copied."""

    EXACT = "exact"
    """Everything: owners, device nodes, extended attributes. On a real directory this needs root."""

    MINE = "mine"
    """Contents, modes and times; owned by who copies, without devices and extended attributes."""


def copy_tree(
    source: Filesystem,
    onto: Filesystem,
    *,
    fidelity: Fidelity = Fidelity.EXACT,
    xattr_name: Callable[[str], str] = str,
) -> None:
    """Put everything that ``source`` shows into the empty tree ``onto``; whiteouts are only files here.

    ``xattr_name``: how an extended attribute of the source is to be called in the copy.
    """
    _Copy(source, onto, fidelity, xattr_name).run(interpret=False)


def apply_layer(layer: Filesystem, onto: Filesystem, *, fidelity: Fidelity = Fidelity.EXACT) -> None:
    """Change ``onto`` as the raw ``layer`` says (OCI image-spec layer.md, "Applying Changesets").

    A directory over a directory replaces its attributes and keeps its children; anything else removes
    first what was there.
    """
    _Copy(layer, onto, fidelity, unescaped).run(interpret=True)


def remove_tree(fs: Filesystem, path: str) -> None:
    """Remove what is at ``path``, with everything below it; nothing happens if nothing is there."""
    if lstat_or_none(fs, path) is None:
        return
    found = list(walk(fs, path))
    for each, _ in reversed(found):
        fs.remove(each)


def walk(
    fs: Filesystem, top: str = "/", *, passes_over: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, Stat]]:
    """(path, attributes) of ``top`` and everything below it, parents first, names sorted.

    A directory is read once what was asked for before it is done with. ``passes_over``: whether a path below
    ``top`` is left out, with all that lies in it.
    """
    waiting = [top]
    while waiting:
        path = waiting.pop()
        status = fs.lstat(path)
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            inside = path if path.endswith("/") else path + "/"
            below = [inside + name for name in sorted(fs.listdir(path), reverse=True)]
            waiting += below if passes_over is None else [each for each in below if not passes_over(each)]


def copy_bytes(source: Filesystem, onto: Filesystem, path: str, target: str | None = None) -> None:
    """Make the regular file at ``path`` of ``source`` in ``onto``, 0600, in pieces of a mebibyte.

    ``target``: what it is called there, if otherwise.
    """
    reading = source.open(path, os.O_RDONLY)
    try:
        writing = onto.open(target or path, _CREATE, 0o600)
        try:
            while piece := reading.read(_PIECE):
                writing.write(piece)
        finally:
            writing.close()
    finally:
        reading.close()


def lstat_or_none(fs: Filesystem, path: str) -> Stat | None:
    """The attributes of the name itself, or None if there is no such name."""
    try:
        return fs.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


class _Copy:
    def __init__(
        self, source: Filesystem, onto: Filesystem, fidelity: Fidelity, xattr_name: Callable[[str], str]
    ) -> None:
        self._source = source
        self._onto = onto
        self._exact = fidelity is Fidelity.EXACT
        self._xattr_name = xattr_name
        self._links: dict[tuple[int, int], str] = {}

    def run(self, *, interpret: bool) -> None:
        """Copy all; directories get their attributes last, because filling them changes their times."""
        directories: list[tuple[str, Stat]] = []
        for path, status in walk(self._source):
            xattrs = self._source.xattrs(path) if self._exact or interpret else {}
            if interpret and self._deletes(path, status, xattrs):
                remove_tree(self._onto, path)
                continue
            if stat.S_ISDIR(status.st_mode):
                opaque = interpret and xattrs.get(OPAQUE_XATTR) == b"y"
                self._directory(path, empty=opaque)
                directories.append((path, status))
                continue
            if interpret:
                remove_tree(self._onto, path)
            if self._make(path, status):
                self._finish(path, status, xattrs, interpret=interpret)
        for path, status in reversed(directories):
            self._finish(path, status, self._source.xattrs(path) if self._exact else {}, interpret=interpret)

    @staticmethod
    def _deletes(path: str, status: Stat, xattrs: dict[str, bytes]) -> bool:
        del path
        if stat.S_ISCHR(status.st_mode):
            return status.st_rdev == 0
        return stat.S_ISREG(status.st_mode) and WHITEOUT_XATTR in xattrs

    def _directory(self, path: str, *, empty: bool) -> None:
        there = lstat_or_none(self._onto, path)
        if there is not None and (empty or not stat.S_ISDIR(there.st_mode)):
            if path == "/":
                for name in self._onto.listdir("/"):
                    remove_tree(self._onto, "/" + name)
                return
            remove_tree(self._onto, path)
            there = None
        if there is None:
            self._onto.mkdir(path, 0o700)

    def _make(self, path: str, status: Stat) -> bool:
        """Make the file; False if it needs no attributes (a second name) or cannot be copied."""
        if status.st_nlink > 1:
            first = self._links.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                self._onto.link(first, path)
                return False
        match stat.S_IFMT(status.st_mode):
            case stat.S_IFREG:
                copy_bytes(self._source, self._onto, path)
            case stat.S_IFLNK:
                self._onto.symlink(self._source.readlink(path), path)
            case stat.S_IFIFO:
                self._onto.mknod(path, stat.S_IFIFO | 0o600)
            case stat.S_IFCHR | stat.S_IFBLK if self._exact:
                self._onto.mknod(path, stat.S_IFMT(status.st_mode) | 0o600, status.st_rdev)
            case _:
                # A socket belongs to a process that is not copied; a device may not be made by anyone.
                self._links.pop((status.st_dev, status.st_ino), None)
                return False
        return True

    def _finish(self, path: str, status: Stat, xattrs: dict[str, bytes], *, interpret: bool) -> None:
        found = {
            self._xattr_name(name): value
            for name, value in xattrs.items()
            if not (interpret and name.startswith(PRIVATE) and unescaped(name) == name)
        }
        change = Attributes(
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid if self._exact else None,
            gid=status.st_gid if self._exact else None,
            xattrs=self._changed(path, found, replaces=interpret) if self._exact else None,
            atime_ns=status.st_mtime_ns,
            mtime_ns=status.st_mtime_ns,
        )
        try:
            self._onto.setattr(path, change)
        except OSError as error:
            if self._exact or error.errno not in (errno.EPERM, errno.ENOTSUP):
                raise

    def _changed(
        self, path: str, found: dict[str, bytes], *, replaces: bool
    ) -> Mapping[str, bytes | None] | None:
        """What to set; where a directory takes the place of another, what that one had goes."""
        gone = self._onto.xattrs(path).keys() - found.keys() if replaces else ()
        return {**dict.fromkeys(gone), **found} or None
