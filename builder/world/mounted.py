"""Other trees attached to a root for one command: /dev, and what RUN --mount asks for.

Nothing is written into the root for it: no mount point is made, so none is left in a layer. Paths are
resolved component by component over all trees; a path that cannot meet a mount goes straight to the root.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from typing import Any, AnyStr, Final

from builder.world.attachments import Attachment, MountTable
from unionfs_sim.caller import ROOT, Caller
from unionfs_sim.content import Content
from unionfs_sim.filesystem import Attributes, Stat
from unionfs_sim.opening import File
from unionfs_sim.posix import Posix, StatVfs
from unionfs_sim.walk import MAX_LINKS, PathLike, as_text

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class MountedPosix(Posix):
    """A root as one caller sees it, with other trees attached."""

    __slots__ = ("_base", "_cwd_path", "_in_base", "_root_fs", "_table", "_views")

    def __init__(self, root: Posix, table: MountTable, caller: Caller, cwd: str = "/") -> None:
        super().__init__(root._tree, caller, root._root)
        self._root_fs = root
        self._table = table
        self._cwd_path = cwd
        self._views: dict[int, Posix] = {}
        self._in_base = cwd.split("/")[1] not in table.first_names
        self._base = root.acting_as(caller, cwd=cwd if self._in_base else "/")

    def acting_as(self, caller: Caller, *, cwd: PathLike = "/", root: PathLike = "/") -> Posix:
        """The same trees for another caller; within another root, nothing is attached."""
        if root != "/":
            return self._root_fs.acting_as(caller, cwd=cwd, root=root)
        inside = MountedPosix(self._root_fs, self._table, ROOT)
        view, path, canonical = inside._resolve_fully(posixpath.join("/", as_text(cwd)), follow=True)
        if not stat.S_ISDIR(view.lstat(path).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), cwd)
        return MountedPosix(self._root_fs, self._table, caller, canonical)

    # ---- which tree ------------------------------------------------------------------------------

    def _view(self, tree: Posix) -> Posix:
        found = self._views.get(id(tree))
        if found is None:
            found = self._views[id(tree)] = tree.acting_as(self.caller)
        return found

    def _locate(self, canonical: str) -> tuple[Posix, str]:
        """The tree that a path without symlinks belongs to, and the path there."""
        for target in self._table.longest_first:
            if canonical == target or canonical.startswith(target + "/"):
                attachment = self._table.by_target[target]
                rest = canonical[len(target) :]
                return self._view(attachment.tree), (attachment.path.rstrip("/") + rest) or "/"
        if canonical in self._table.implied and not self._root_fs.exists(canonical):
            return self._view(self._table.stubs), canonical
        return self._view(self._root_fs), canonical

    def _resolve_fully(self, text: str, *, follow: bool) -> tuple[Posix, str, str]:
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

    def _is_plain(self, text: str) -> bool:
        """Whether a path goes straight to the root."""
        if text.startswith("/"):
            return text.split("/", 2)[1] not in self._table.first_names and ".." not in text
        return self._in_base and ".." not in text

    def _route(self, path: PathLike, *, follow: bool = True, writes: bool = False) -> tuple[Posix, str]:
        """The tree of ``path`` and the path there; EROFS if it shall be written and may not."""
        text = as_text(path)
        if self._is_plain(text) and text != "/":
            return self._base, text
        absolute = posixpath.join(self._cwd_path, text)
        view, inner, canonical = self._resolve_fully(absolute, follow=follow)
        if writes:
            for target in self._table.longest_first:
                if canonical == target or canonical.startswith(target + "/"):
                    if self._table.by_target[target].read_only:
                        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
                    break
        return view, inner + "/" if text.endswith("/") and inner != "/" else inner

    def _call(
        self, verb: str, path: PathLike, *args: Any, follow: bool = True, writes: bool = False, **more: Any
    ) -> Any:
        """Do ``verb`` where ``path`` leads; an error names the path as it was given."""
        try:
            view, inner = self._route(path, follow=follow, writes=writes)
            try:
                return getattr(view, verb)(inner, *args, **more)
            except FileNotFoundError:
                # A symlink of the root may lead into an attached tree, where the root has nothing.
                if view is not self._base:
                    raise
                other, inner, _ = self._resolve_fully(posixpath.join(self._cwd_path, inner), follow=follow)
                if other is self._view(self._root_fs):
                    raise
                return getattr(other, verb)(inner, *args, **more)
        except OSError as error:
            error.filename = path
            raise

    def _busy(self, path: PathLike) -> None:
        """Raise EBUSY for the target of a mount, which can be neither removed nor moved."""
        absolute = posixpath.normpath(posixpath.join(self._cwd_path, as_text(path)))
        if absolute in self._table.by_target:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)

    # ---- looking ---------------------------------------------------------------------------------

    def stat(self, path: PathLike, /, *, follow_symlinks: bool = True) -> Stat:
        """The attributes of what is at ``path``."""
        found: Stat = self._call("stat", path, follow=follow_symlinks, follow_symlinks=follow_symlinks)
        return found

    def lstat(self, path: PathLike, /) -> Stat:
        """The attributes of the name itself."""
        found: Stat = self._call("lstat", path, follow=False)
        return found

    def content(self, path: PathLike, /) -> Content:
        """The bytes of a regular file."""
        found: Content = self._call("content", path)
        return found

    def exists(self, path: PathLike, /) -> bool:
        """Whether ``path`` leads to something that the caller can reach."""
        try:
            self.stat(path)
        except (OSError, ValueError):
            return False
        return True

    def access(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> bool:
        """Whether the caller may read, write or execute."""
        try:
            view, inner = self._route(path, follow=follow_symlinks, writes=bool(mode & os.W_OK))
        except (OSError, ValueError):
            return False
        if view.access(inner, mode, follow_symlinks=follow_symlinks):
            return True
        return view is self._base and not view.exists(inner) and self._elsewhere(inner, mode)

    def _elsewhere(self, path: str, mode: int) -> bool:
        try:
            view, inner, _ = self._resolve_fully(posixpath.join(self._cwd_path, path), follow=True)
        except OSError:
            return False
        return view.access(inner, mode)

    def listdir(self, path: AnyStr | os.PathLike[AnyStr] = "/", /) -> list[AnyStr]:  # type: ignore[assignment]
        """The names in a directory, those of attached trees among them."""
        names: list[str] = self._call("listdir", as_text(path))
        absolute = posixpath.normpath(posixpath.join(self._cwd_path, as_text(path)))
        names += [name for name in self._table.names_in(absolute) if name not in names]
        if isinstance(os.fspath(path), bytes):
            return [name.encode("utf-8", "surrogateescape") for name in names]  # type: ignore[misc]
        return names  # type: ignore[return-value]

    def readlink(self, path: AnyStr | os.PathLike[AnyStr], /) -> AnyStr:
        """The target of a symlink, as stored."""
        target: str = self._call("readlink", path, follow=False)
        return target.encode("utf-8", "surrogateescape") if isinstance(os.fspath(path), bytes) else target  # type: ignore[return-value]

    def walk(self, top: str = "/") -> Iterator[tuple[str, list[str], list[str]]]:
        """As ``os.walk``: (path, directories, other names), parents first; unreadable ones are left out."""
        todo = [top]
        while todo:
            path = todo.pop()
            stem = path if path.endswith("/") else path + "/"
            try:
                names = self.listdir(path)
            except OSError:
                continue
            directories = [name for name in names if stat.S_ISDIR(self.lstat(stem + name).st_mode)]
            yield path, directories, [name for name in names if name not in directories]
            todo += [stem + name for name in reversed(directories)]

    def statvfs(self, path: PathLike = "/", /) -> StatVfs:
        """The limits of the file system."""
        found: StatVfs = self._call("statvfs", path)
        return found

    # ---- changing --------------------------------------------------------------------------------

    def open(self, path: PathLike, flags: int = os.O_RDONLY, mode: int = 0o666, /) -> File:
        """An open file of the tree that ``path`` leads to."""
        if flags & os.O_CREAT and self._is_plain(as_text(path)) and self._is_link(path):
            path = posixpath.join(self._cwd_path, as_text(path))
            view, inner, _ = self._resolve_fully(path, follow=not flags & os.O_NOFOLLOW)
            return view.open(inner, flags, mode)
        follow = not flags & os.O_NOFOLLOW
        file: File = self._call("open", path, flags, mode, follow=follow, writes=bool(flags & _WRITES))
        return file

    def _is_link(self, path: PathLike) -> bool:
        try:
            return stat.S_ISLNK(self._base.lstat(path).st_mode)
        except (OSError, ValueError):
            return False

    def mkdir(self, path: PathLike, mode: int = 0o777, /) -> None:
        """Make a directory."""
        self._call("mkdir", path, mode, follow=False, writes=True)

    def mknod(self, path: PathLike, mode: int = 0o600, rdev: int = 0, /) -> None:
        """Make a regular file, fifo, socket or device."""
        self._call("mknod", path, mode, rdev, follow=False, writes=True)

    def symlink(self, target: str | bytes, path: PathLike, /) -> None:
        """Make a symlink at ``path``."""
        view, inner = self._route(path, follow=False, writes=True)
        try:
            view.symlink(target, inner)
        except OSError as error:
            error.filename, error.filename2 = target, path
            raise

    def _both(self, verb: str, source: PathLike, path: PathLike, *args: Any, **more: Any) -> None:
        try:
            follow = bool(more.get("follow_symlinks", False))
            view, inner = self._route(source, follow=follow, writes=True)
            other, place = self._route(path, follow=False, writes=True)
            if {view, other} <= {self._base, self._view(self._root_fs)}:
                view = self._base
                inner = posixpath.join(self._cwd_path, inner) if self._in_base else inner
                place = posixpath.join(self._cwd_path, place) if self._in_base else place
            elif view is not other:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            getattr(view, verb)(inner, place, *args, **more)
        except OSError as error:
            error.filename, error.filename2 = source, path
            raise

    def link(self, source: PathLike, path: PathLike, /, *, follow_symlinks: bool = False) -> None:
        """Give the file at ``source`` a second name, in the same tree."""
        self._both("link", source, path, follow_symlinks=follow_symlinks)

    def renameat2(self, source: PathLike, path: PathLike, flags: int, /) -> None:
        """Move a name within its tree; EXDEV to another."""
        self._busy(source)
        self._busy(path)
        self._both("renameat2", source, path, flags)

    def unlink(self, path: PathLike, /) -> None:
        """Take away a name that is not a directory."""
        self._busy(path)
        self._call("unlink", path, follow=False, writes=True)

    def rmdir(self, path: PathLike, /) -> None:
        """Take away an empty directory."""
        self._busy(path)
        self._call("rmdir", path, follow=False, writes=True)

    def remove(self, path: PathLike, /) -> None:
        """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
        self._busy(path)
        self._call("remove", path, follow=False, writes=True)

    def chmod(self, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the permission bits."""
        self._call("chmod", path, mode, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks)

    def chown(self, path: PathLike, uid: int, gid: int, /, *, follow_symlinks: bool = True) -> None:
        """Set the owner; -1 keeps."""
        self._call(
            "chown", path, uid, gid, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks
        )

    def utime(
        self, path: PathLike, /, ns: tuple[int, int] | None = None, *, follow_symlinks: bool = True
    ) -> None:
        """Set (atime, mtime) in nanoseconds; None: now."""
        self._call("utime", path, ns, follow=follow_symlinks, writes=True, follow_symlinks=follow_symlinks)

    def truncate(self, path: PathLike, size: int, /) -> None:
        """Cut or extend (with a hole) to ``size`` bytes."""
        self._call("truncate", path, size, writes=True)

    def setattr(self, path: PathLike, change: Attributes, /) -> None:
        """Change owner, then mode, xattrs and times, of the name itself."""
        self._call("setattr", path, change, follow=False, writes=True)

    def getxattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> bytes:
        """The value of an extended attribute; ENODATA if there is none."""
        value: bytes = self._call(
            "getxattr", path, name, follow=follow_symlinks, follow_symlinks=follow_symlinks
        )
        return value

    def setxattr(
        self,
        path: PathLike,
        name: str | bytes,
        value: bytes,
        flags: int = 0,
        /,
        *,
        follow_symlinks: bool = True,
    ) -> None:
        """Set an extended attribute."""
        follow = follow_symlinks
        self._call("setxattr", path, name, value, flags, follow=follow, writes=True, follow_symlinks=follow)

    def removexattr(self, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> None:
        """Take an extended attribute away."""
        follow = follow_symlinks
        self._call("removexattr", path, name, follow=follow, writes=True, follow_symlinks=follow)

    def listxattr(self, path: PathLike = "/", /, *, follow_symlinks: bool = True) -> list[str]:
        """The names of the extended attributes, sorted."""
        names: list[str] = self._call(
            "listxattr", path, follow=follow_symlinks, follow_symlinks=follow_symlinks
        )
        return names


def attached(root: Posix, attachments: Iterable[Attachment]) -> MountedPosix:
    """``root`` with the trees attached; the last one for a target counts."""
    return MountedPosix(root, MountTable(attachments), root.caller)
