"""Which of several trees a path leads to, symlinks and mounts considered (path_resolution(7)).

A path that cannot meet an attached tree goes straight to the root; any other is resolved name by name.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from typing import Any, Final

from builder.world.machine.attachments import MountTable
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix
from unionfs_sim.vfs.walk import MAX_LINKS, PathLike, as_text

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Router:
    """The way of one caller, at one working directory, through a root with other trees attached."""

    __slots__ = ("_caller", "_cwd", "_in_base", "_root", "_table", "_views", "base")

    def __init__(self, root: Posix, table: MountTable, caller: Caller, cwd: str) -> None:
        self._root = root
        self._table = table
        self._caller = caller
        self._cwd = cwd
        self._views: dict[int, Posix] = {}
        self._in_base = cwd.split("/")[1] not in table.first_names
        self.base = root.acting_as(caller, cwd=cwd if self._in_base else "/")
        """The root itself, which most paths lead to."""

    def absolute(self, path: PathLike) -> str:
        """``path`` from the root on, as it is written."""
        return posixpath.join(self._cwd, as_text(path))

    # ---- which tree ------------------------------------------------------------------------------

    def _view(self, tree: Posix) -> Posix:
        found = self._views.get(id(tree))
        if found is None:
            found = self._views[id(tree)] = tree.acting_as(self._caller)
        return found

    def _locate(self, canonical: str) -> tuple[Posix, str]:
        """The tree that a path without symlinks belongs to, and the path there."""
        tree, path = self._root, canonical
        for target in self._table.longest_first:
            if canonical == target or canonical.startswith(target + "/"):
                attachment = self._table.by_target[target]
                tree, path = attachment.tree, (attachment.path.rstrip("/") + canonical[len(target) :]) or "/"
                break
        if canonical in self._table.implied and not tree.exists(path):
            return self._view(self._table.stubs), canonical
        return self._view(tree), path

    def resolve_fully(self, text: str, *, follow: bool) -> tuple[Posix, str, str]:
        """(tree, path there, path from the root) of an absolute path; the last name may be missing."""
        names = [name for name in text.split("/") if name][::-1]
        done, links = "", 0
        while names:
            name = names.pop()
            if name == ".":
                continue
            if name == "..":
                done = done.rpartition("/")[0]
                continue
            step = f"{done}/{name}"
            view, path = self._locate(step)
            try:
                mode = view.lstat(path).st_mode
            except FileNotFoundError:
                if names:
                    raise
                return view, path, step
            if stat.S_ISLNK(mode) and (names or follow or text.endswith("/")):
                links += 1
                if links > MAX_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                target = view.readlink(path)
                done = "" if target.startswith("/") else done
                names += [piece for piece in target.split("/") if piece][::-1]
                continue
            if names and not stat.S_ISDIR(mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            done = step
        canonical = done or "/"
        return (*self._locate(canonical), canonical)

    def is_plain(self, text: str) -> bool:
        """Whether a path goes straight to the root."""
        if text.startswith("/"):
            return text.split("/", 2)[1] not in self._table.first_names and ".." not in text
        return self._in_base and ".." not in text

    def route(self, path: PathLike, *, follow: bool = True, writes: bool = False) -> tuple[Posix, str]:
        """The tree of ``path`` and the path there; EROFS if it shall be written and may not."""
        text = as_text(path)
        if self.is_plain(text) and text != "/":
            return self.base, text
        absolute = posixpath.join(self._cwd, text)
        view, inner, canonical = self.resolve_fully(absolute, follow=follow)
        if writes:
            for target in self._table.longest_first:
                if canonical == target or canonical.startswith(target + "/"):
                    if self._table.by_target[target].read_only:
                        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
                    break
        return view, inner + "/" if text.endswith("/") and inner != "/" else inner

    def call(
        self, verb: str, path: PathLike, *args: Any, follow: bool = True, writes: bool = False, **more: Any
    ) -> Any:
        """Do ``verb`` where ``path`` leads; an error names the path as it was given."""
        try:
            view, inner = self.route(path, follow=follow, writes=writes)
            try:
                return getattr(view, verb)(inner, *args, **more)
            except FileNotFoundError:
                # A symlink of the root may lead into an attached tree, where the root has nothing.
                if view is not self.base:
                    raise
                other, inner, _ = self.resolve_fully(posixpath.join(self._cwd, inner), follow=follow)
                if other is self._view(self._root):
                    raise
                return getattr(other, verb)(inner, *args, **more)
        except OSError as error:
            error.filename = path
            raise

    def busy(self, path: PathLike) -> None:
        """Raise EBUSY for the target of a mount, which can be neither removed nor moved."""
        absolute = posixpath.normpath(posixpath.join(self._cwd, as_text(path)))
        if absolute in self._table.by_target:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)

    def both(self, verb: str, source: PathLike, path: PathLike, *args: Any, **more: Any) -> None:
        """Do ``verb`` with two paths, which must lead to one tree: EXDEV else."""
        try:
            follow = bool(more.get("follow_symlinks", False))
            view, inner = self.route(source, follow=follow, writes=True)
            other, place = self.route(path, follow=False, writes=True)
            if {view, other} <= {self.base, self._view(self._root)}:
                view = self.base
                inner = posixpath.join(self._cwd, inner) if self._in_base else inner
                place = posixpath.join(self._cwd, place) if self._in_base else place
            elif view is not other:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            getattr(view, verb)(inner, place, *args, **more)
        except OSError as error:
            error.filename, error.filename2 = source, path
            raise

    def names_in(self, path: str) -> list[str]:
        """The names that attached trees have, or are led to by, in a directory."""
        return self._table.names_in(posixpath.normpath(self.absolute(path)))
