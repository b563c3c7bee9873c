"""The functions of ``os`` that take a path: each one a verb of the union."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any

from unionfs_sim.caller import Caller
from unionfs_sim.fakefs.scanning import DirEntry, Scan, stat_result
from unionfs_sim.fakefs.session import Session


class PathVerbs:
    """``os.stat`` to ``os.walk``; ``dir_fd`` and descriptors in place of paths work as they do there."""

    _session: Session

    # -- looking

    def stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        view = self._session.at(dir_fd)
        return stat_result(view, self._session.named(path), follow_symlinks=follow_symlinks)

    def lstat(self, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
        return stat_result(self._session.at(dir_fd), path, follow_symlinks=False)

    def access(
        self,
        path: Any,
        mode: int,
        *,
        dir_fd: int | None = None,
        effective_ids: bool = False,  # noqa: ARG002 - a caller has one set of ids
        follow_symlinks: bool = True,
    ) -> bool:
        return self._session.at(dir_fd).access(path, mode, follow_symlinks=follow_symlinks)

    def listdir(self, path: Any = ".") -> list[Any]:
        names: list[Any] = self._session.view.listdir(self._session.named("." if path is None else path))
        return names

    def scandir(self, path: Any = ".") -> Scan[Any]:
        path = "." if path is None else path
        if isinstance(path, int):
            below = self._session.at(path)
            names: list[Any] = below.listdir(".")
            return Scan(iter([DirEntry(below, name, name) for name in names]))
        text = os.fspath(path)
        view = self._session.view
        with view.open(path, os.O_DIRECTORY) as opened:
            below, names = view.beside(opened), view.listdir(path)
        stem = text if text[-1:] in ("/", b"/") else text + ("/" if isinstance(text, str) else b"/")
        return Scan(iter([DirEntry(below, name, stem + name) for name in names]))

    def readlink(self, path: Any, *, dir_fd: int | None = None) -> Any:
        return self._session.at(dir_fd).readlink(os.fspath(path))

    def statvfs(self, path: Any) -> os.statvfs_result:
        told = self._session.view.statvfs(self._session.named(path))
        return os.statvfs_result((told.f_bsize, told.f_frsize, 0, 0, 0, 0, 0, 0, told.f_flag, told.f_namemax))

    def walk(
        self,
        top: Any,
        topdown: bool = True,  # noqa: FBT001, FBT002 - os.walk's own signature
        onerror: Callable[[OSError], object] | None = None,
        followlinks: bool = False,  # noqa: FBT001, FBT002
    ) -> Iterator[tuple[Any, list[Any], list[Any]]]:
        top = os.fspath(top)
        try:
            entries = list(self.scandir(top))
        except OSError as error:
            if onerror is not None:
                onerror(error)
            return
        directories = [entry.name for entry in entries if entry.is_dir()]
        others = [entry.name for entry in entries if not entry.is_dir()]
        if topdown:
            yield top, directories, others
        for name in directories:
            below = os.path.join(top, name)
            if followlinks or not stat.S_ISLNK(self.lstat(below).st_mode):
                yield from self.walk(below, topdown, onerror, followlinks)
        if not topdown:
            yield top, directories, others

    # -- making, moving, removing

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self._session.at(dir_fd).mkdir(path, mode)

    def makedirs(self, name: Any, mode: int = 0o777, exist_ok: bool = False) -> None:  # noqa: FBT001, FBT002
        head, tail = os.path.split(name)
        if not tail:
            head, tail = os.path.split(head)
        if head and tail and not self._session.view.exists(head):
            try:
                self.makedirs(head, exist_ok=exist_ok)
            except FileExistsError:
                pass  # somebody else made it meanwhile
            if tail in (".", b"."):
                return
        try:
            self.mkdir(name, mode)
        except OSError:
            if not exist_ok or not stat.S_ISDIR(self.stat(name).st_mode):
                raise

    def mkfifo(self, path: Any, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
        self._session.at(dir_fd).mknod(path, stat.S_IFIFO | mode & 0o7777)

    def mknod(self, path: Any, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None) -> None:
        self._session.at(dir_fd).mknod(path, mode, device)

    def symlink(
        self,
        src: Any,
        dst: Any,
        target_is_directory: bool = False,  # noqa: ARG002, FBT001, FBT002 - for Windows only
        *,
        dir_fd: int | None = None,
    ) -> None:
        self._session.at(dir_fd).symlink(os.fspath(src), dst)

    def link(
        self,
        src: Any,
        dst: Any,
        *,
        src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        # Linux: os.link without flags does not follow, whatever its default says (link(2)).
        follow = follow_symlinks and (src_dir_fd is not None or dst_dir_fd is not None)
        self._across(
            src, src_dir_fd, dst, dst_dir_fd, lambda view, a, b: view.link(a, b, follow_symlinks=follow)
        )

    def rename(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        self._across(src, src_dir_fd, dst, dst_dir_fd, lambda view, a, b: view.rename(a, b))

    replace = rename

    def _across(
        self, src: Any, src_fd: int | None, dst: Any, dst_fd: int | None, verb: Callable[..., None]
    ) -> None:
        """A verb of two paths, each perhaps relative to an open directory of its own."""
        if src_fd == dst_fd:
            verb(self._session.at(src_fd), src, dst)
        elif os.path.isabs(src):
            verb(self._session.at(dst_fd), src, dst)
        elif os.path.isabs(dst):
            verb(self._session.at(src_fd), src, dst)
        else:
            raise OSError(
                errno.ENOSYS, "two relative paths of different directories are not simulated on a union"
            )

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._session.at(dir_fd).unlink(path)

    remove = unlink

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        self._session.at(dir_fd).rmdir(path)

    def removedirs(self, name: Any) -> None:
        self.rmdir(name)
        head, tail = os.path.split(name)
        head, tail = os.path.split(head) if not tail else (head, tail)
        while head and tail:
            try:
                self.rmdir(head)
            except OSError:
                break
            head, tail = os.path.split(head)

    def renames(self, old: Any, new: Any) -> None:
        head, tail = os.path.split(new)
        if head and tail and not self._session.view.exists(head):
            self.makedirs(head)
        self.rename(old, new)
        head, tail = os.path.split(old)
        if head and tail:
            try:
                self.removedirs(head)
            except OSError:
                pass

    # -- attributes

    def chmod(self, path: Any, mode: int, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> None:
        if not follow_symlinks:
            raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
        self._session.at(dir_fd).chmod(self._session.named(path), mode)

    def chown(
        self, path: Any, uid: int, gid: int, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> None:
        view = self._session.at(dir_fd)
        view.chown(self._session.named(path), uid, gid, follow_symlinks=follow_symlinks)

    def lchown(self, path: Any, uid: int, gid: int) -> None:
        self._session.view.chown(path, uid, gid, follow_symlinks=False)

    def utime(
        self,
        path: Any,
        times: tuple[float, float] | None = None,
        *,
        ns: tuple[int, int] | None = None,
        dir_fd: int | None = None,
        follow_symlinks: bool = True,
    ) -> None:
        if times is not None and ns is not None:
            raise ValueError("utime: you may specify either 'times' or 'ns' but not both")
        if times is not None:
            ns = (int(times[0] * 10**9), int(times[1] * 10**9))
        view = self._session.at(dir_fd)
        view.utime(self._session.named(path), ns, follow_symlinks=follow_symlinks)

    def truncate(self, path: Any, length: int) -> None:
        if isinstance(path, int):
            self._session.descriptors.get(path).truncate(length)
        else:
            self._session.view.truncate(path, length)

    def getxattr(self, path: Any, attribute: Any, *, follow_symlinks: bool = True) -> bytes:
        named = self._session.named(path)
        return self._session.view.getxattr(named, os.fsdecode(attribute), follow_symlinks=follow_symlinks)

    def setxattr(
        self, path: Any, attribute: Any, value: Any, flags: int = 0, *, follow_symlinks: bool = True
    ) -> None:
        self._session.view.setxattr(
            self._session.named(path),
            os.fsdecode(attribute),
            bytes(value),
            flags,
            follow_symlinks=follow_symlinks,
        )

    def removexattr(self, path: Any, attribute: Any, *, follow_symlinks: bool = True) -> None:
        named = self._session.named(path)
        self._session.view.removexattr(named, os.fsdecode(attribute), follow_symlinks=follow_symlinks)

    def listxattr(self, path: Any = ".", *, follow_symlinks: bool = True) -> list[str]:
        named = self._session.named("." if path is None else path)
        return self._session.view.listxattr(named, follow_symlinks=follow_symlinks)

    # -- the process

    def getcwd(self) -> str:
        return self._session.cwd

    def getcwdb(self) -> bytes:
        return os.fsencode(self._session.cwd)

    def chdir(self, path: Any) -> None:
        self._session.change_directory(path)

    def fchdir(self, fd: int) -> None:
        self._session.change_directory(fd)

    def umask(self, mask: int) -> int:
        return self._session.change_umask(mask)

    @property
    def _caller(self) -> Caller:
        return self._session.view.caller

    def getuid(self) -> int:
        return self._caller.uid

    geteuid = getuid

    def getgid(self) -> int:
        return self._caller.gid

    getegid = getgid

    def getgroups(self) -> list[int]:
        return sorted(self._caller.groups)
