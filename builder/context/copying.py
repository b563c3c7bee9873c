"""From a selection and a destination to edits: what COPY and ADD do, without doing it.

BuildKit's rules (fsutil ``copy``): symlinks on the way to the destination are followed inside the root;
missing directories are made with mode 0755, or that of a numeric --chmod, and the owner of the copy; a
directory that is there keeps its attributes if it is the destination itself and takes the source's if it is
below; a file replaces a file; neither a directory nor a file replaces the other. An archive's entries replace
whatever is in their way (moby ``pkg/archive``, ``createTarFile``).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from builder.context.content import content_of
from builder.context.edit import (
    Edit,
    MakeDirectory,
    MakeHardlink,
    MakeNode,
    MakeSymlink,
    Remove,
    SetAttributes,
    WriteFile,
)
from builder.context.modes import ModeChange
from builder.context.paths import Below, clean, is_directory, join, lstat, resolve
from builder.context.selection import Item, Selected
from builder.errors import BuildError
from unionfs_sim.filesystem import Attributes, Filesystem, Stat
from unionfs_sim.nodes.content import Content
from unionfs_sim.nodes.record import Record

_NEW_DIRECTORY: Final = 0o755


class Destination(Record, kw_only=True):
    """Where a copy goes and what it changes on the way.

    ``path``: absolute; it ends with ``/`` if only a directory may stand there. ``owner``: None keeps the
    source's. ``change``: what --chmod does. ``follows_symlinks``: False for --link, which copies into an
    empty tree that is then laid over the image.
    """

    path: str
    owner: tuple[int, int] | None = None
    change: ModeChange | None = None
    follows_symlinks: bool = True

    @property
    def new_directory(self) -> int:
        """The mode of directories that are made on the way."""
        return _NEW_DIRECTORY if self.change is None else self.change.new_directory


class Given(Record):
    """A file whose bytes do not come from a tree: a heredoc, or what a URL answered."""

    name: str
    content: Content
    mode: int = 0o644
    mtime_ns: int = 0


class Draft:
    """A root as it will be when the edits drafted so far are made; the root itself stays as it is."""

    def __init__(self, root: Filesystem, destination: Destination) -> None:
        self.edits: list[Edit] = []
        self._root = root
        self._to = destination
        self._planned: dict[str, Stat] = {}
        self._targets: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._absent: set[str] = set()

    def lstat(self, path: str, /) -> Stat:
        """The attributes that the name will have."""
        planned = self._planned.get(path)
        if planned is not None:
            return planned
        if path in self._absent or (self._fresh and not self._fresh.isdisjoint(_above(path))):
            raise FileNotFoundError(2, "No such file or directory", path)
        return self._root.lstat(path)

    def readlink(self, path: str, /) -> str:
        """The target that the symlink will have."""
        return self._targets[path] if path in self._targets else self._root.readlink(path)

    def resolve(self, path: str) -> str:
        """Where ``path`` leads: through symlinks, unless the destination does not follow any."""
        return resolve(self, path) if self._to.follows_symlinks else clean(path)

    def below(self, top: str) -> Below:
        """The root as a process sees it that changed its root to ``top``."""
        return Below(self, top)

    def make_way(self, path: str, *, for_directory: bool) -> None:
        """Draft that a directory in the place of a file goes, or a file in the place of a directory."""
        status = lstat(self, path)
        if status is None or stat.S_ISDIR(status.st_mode) is for_directory:
            return
        self.edits.append(Remove(path))
        if not for_directory:
            self._fresh.add(path)  # what the root has below it is gone with it
            for known in [each for each in self._planned if each.startswith(f"{path}/")]:
                del self._planned[known]
        self._planned.pop(path, None)
        self._absent.add(path)

    def directory(self, path: str) -> None:
        """Draft the directories on the way to ``path``, and itself, where there are none."""
        for here in [*reversed(_above(path)), path]:
            status = lstat(self, here)
            if status is not None and stat.S_ISDIR(status.st_mode):
                continue
            if status is not None:
                if self._to.follows_symlinks:
                    raise BuildError(f"{here} is a file, so nothing can be copied below it")
                self.edits.append(Remove(here))
            uid, gid = self._to.owner or (0, 0)
            mode = self._to.new_directory
            self._note(here, stat.S_IFDIR | mode)
            self.edits.append(MakeDirectory(here, Attributes(mode=mode, uid=uid, gid=gid)))

    def copy_directory(self, path: str, attributes: Attributes) -> None:
        """Draft a directory at ``path`` with these attributes, whether or not one is there."""
        status = lstat(self, path)
        if status is None:
            self._note(path, stat.S_IFDIR | _NEW_DIRECTORY)
            self.edits.append(MakeDirectory(path, attributes))
        elif stat.S_ISDIR(status.st_mode):
            self.edits.append(SetAttributes(path, attributes))
        elif self._to.follows_symlinks:
            raise BuildError(
                f"cannot copy a directory to {path}: a file is there", fix="remove the file before"
            )
        else:
            self.edits.append(Remove(path))
            self._note(path, stat.S_IFDIR | _NEW_DIRECTORY)
            self.edits.append(MakeDirectory(path, attributes))

    def place(self, edit: Edit, mode: int, target: str = "") -> None:
        """Draft a file at the path of ``edit``, in place of any other file."""
        status = lstat(self, edit.path)
        if status is not None and stat.S_ISDIR(status.st_mode):
            raise BuildError(
                f"cannot copy a file to {edit.path}: a directory is there",
                fix=f"write {edit.path}/ to copy into it",
            )
        self._note(edit.path, mode, target)
        self.edits.append(edit)

    def _note(self, path: str, mode: int, target: str = "") -> None:
        self._absent.discard(path)
        self._planned[path] = _status(mode)
        if stat.S_ISDIR(mode):
            self._fresh.add(path)
        if stat.S_ISLNK(mode):
            self._targets[path] = target


@cache
def _status(mode: int) -> Stat:
    """What is known of a name that is planned; one for all names of a mode."""
    return Stat(mode, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)


def _above(path: str) -> list[str]:
    """The directories on the way to an absolute ``path``, the nearest first."""
    found = []
    while len(path) > 1:
        path = path.rpartition("/")[0] or "/"
        found.append(path)
    return found


class _Copy:
    """One match on its way: hard links of one match stay hard links of each other."""

    def __init__(self, source: Filesystem, to: Destination, draft: Draft) -> None:
        self.source = source
        self.to = to
        self.draft = draft
        self.links: dict[tuple[int, int], str] = {}

    def item(self, item: Item, target: str) -> None:
        status = item.status
        kind = stat.S_IFMT(status.st_mode)
        attributes = _attributes(self.source, item, self.to)
        if kind == stat.S_IFDIR:
            self.draft.copy_directory(target, attributes)
            return
        inode = (status.st_dev, status.st_ino)
        if status.st_nlink > 1 and inode in self.links:
            self.draft.place(MakeHardlink(target, self.links[inode]), kind)
            return
        if kind == stat.S_IFREG:
            self.draft.place(WriteFile(target, content_of(self.source, item.path, status), attributes), kind)
        elif kind == stat.S_IFLNK:
            leads = self.source.readlink(item.path)
            self.draft.place(MakeSymlink(target, leads, attributes), kind, leads)
        elif kind != stat.S_IFSOCK:  # a socket has no place in a layer
            self.draft.place(MakeNode(target, kind | 0o600, status.st_rdev, attributes), kind)
        if status.st_nlink > 1:
            self.links[inode] = target


def _attributes(source: Filesystem, item: Item, to: Destination) -> Attributes:
    status = item.status
    uid, gid = to.owner or (status.st_uid, status.st_gid)
    is_link = stat.S_ISLNK(status.st_mode)
    mode = stat.S_IMODE(status.st_mode)
    if to.change is not None and not is_link:
        mode = to.change(mode, is_directory=item.is_directory)
    return Attributes(
        mode=None if is_link else mode,
        uid=uid,
        gid=gid,
        mtime_ns=status.st_mtime_ns,
        xattrs=source.xattrs(item.path) or None,
    )


def copy(source: Filesystem, selection: Iterable[Selected], draft: Draft, to: Destination) -> None:
    """Draft the copy of ``selection`` from ``source``; BuildError if something is in the way."""
    for selected in selection:
        if not selected.items:
            continue
        if to.path.endswith("/"):
            draft.directory(draft.resolve(to.path))
        target = draft.resolve(to.path)
        running = _Copy(source, to, draft)
        if selected.is_directory:
            draft.directory(target)
            for item in selected.items[1:]:
                running.item(item, join(target, item.relative))
        else:
            if is_directory(draft, target):
                target = join(target, selected.name)
            draft.directory(str(PurePosixPath(target).parent))
            running.item(selected.items[0], target)


def place(given: Sequence[Given], draft: Draft, to: Destination) -> None:
    """Draft files whose bytes are at hand, as if they were copied from a directory."""
    for one in given:
        if to.path.endswith("/"):
            draft.directory(draft.resolve(to.path))
        target = draft.resolve(to.path)
        if is_directory(draft, target):
            target = join(target, one.name)
        draft.directory(str(PurePosixPath(target).parent))
        mode = to.change(one.mode, is_directory=False) if to.change is not None else one.mode
        uid, gid = to.owner or (0, 0)
        attributes = Attributes(mode=mode, uid=uid, gid=gid, mtime_ns=one.mtime_ns)
        draft.place(WriteFile(target, one.content, attributes), stat.S_IFREG)
