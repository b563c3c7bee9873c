"""The functions of ``os`` that take the path of a file: looking, making, moving, removing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from unionfs_sim.fakefs.scanning import DirEntry, Scan, stat_result
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, nameless, spelt
from unionfs_sim.fakefs.standard import rebuilt
from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.posix import Posix


class PathVerbs:
    """``os.stat`` to ``os.walk``; ``dir_fd`` and descriptors in place of paths work as they do there."""

    _session: Session

    # -- looking

    def stat(self, path: Any, *, dir_fd: int | None = None, follow_symlinks: bool = True) -> os.stat_result:
        path = spelt("stat", path, number=True)
        if isinstance(path, int):
            return named(
                path, lambda: stat_result(self._session.view, self._session.named(path), follow_symlinks=True)
            )
        return stat_result(self._session.at(path, dir_fd), path, follow_symlinks=follow_symlinks)

    def lstat(self, path: Any, *, dir_fd: int | None = None) -> os.stat_result:
        path = spelt("lstat", path)
        return stat_result(self._session.at(path, dir_fd), path, follow_symlinks=False)

    def access(
        self,
        path: Any,
        mode: int,
        *,
        dir_fd: int | None = None,
        effective_ids: bool = False,  # noqa: ARG002 - a caller has one set of ids
        follow_symlinks: bool = True,
    ) -> bool:
        path = spelt("access", path)
        try:
            view = self._session.at(path, dir_fd)
        except OSError:
            return False
        return view.access(path, mode, follow_symlinks=follow_symlinks)

    def listdir(self, path: Any = None) -> list[Any]:
        path = "." if path is None else spelt("listdir", path, number=True, none=True)
        if isinstance(path, int):
            file = self._session.descriptors.get(path)
            return named(path, lambda: [*self._session.view.beside(file).listdir(".")])
        names: list[Any] = self._session.view.listdir(path)
        return names

    def scandir(self, path: Any = None) -> Scan[Any]:
        text = "." if path is None else spelt("scandir", path, number=True, none=True)
        session = self._session
        if isinstance(text, int):
            file = session.descriptors.get(text)
            return Scan(iter(named(text, lambda: _entries(session.view.beside(file), ".", None))))
        return Scan(iter(_entries(session.view, text, _stem(text))))

    def readlink(self, path: Any, *, dir_fd: int | None = None) -> Any:
        path = spelt("readlink", path)
        return self._session.at(path, dir_fd).readlink(path)

    # -- making, moving, removing

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        path = spelt("mkdir", path)
        self._session.at(path, dir_fd).mkdir(path, mode)

    def mkfifo(self, path: Any, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
        path, kind = spelt("mkfifo", path), stat.S_IFIFO | mode & 0o7777
        nameless(lambda: self._session.at(path, dir_fd).mknod(path, kind))

    def mknod(self, path: Any, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None) -> None:
        path = spelt("mknod", path)
        nameless(lambda: self._session.at(path, dir_fd).mknod(path, mode, device))

    def symlink(
        self,
        src: Any,
        dst: Any,
        target_is_directory: bool = False,  # noqa: ARG002, FBT001, FBT002 - for Windows only
        *,
        dir_fd: int | None = None,
    ) -> None:
        src, dst = spelt("symlink", src, "src"), spelt("symlink", dst, "dst")
        self._session.at(dst, dir_fd).symlink(src, dst)

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
        src, dst = spelt("link", src, "src"), spelt("link", dst, "dst")
        self._across(
            (src, src_dir_fd), (dst, dst_dir_fd), lambda view, a, b: view.link(a, b, follow_symlinks=follow)
        )

    def rename(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        src, dst = spelt("rename", src, "src"), spelt("rename", dst, "dst")
        self._across((src, src_dir_fd), (dst, dst_dir_fd), lambda view, a, b: view.rename(a, b))

    def replace(
        self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None
    ) -> None:
        src, dst = spelt("replace", src, "src"), spelt("replace", dst, "dst")
        self._across((src, src_dir_fd), (dst, dst_dir_fd), lambda view, a, b: view.rename(a, b))

    def _across(
        self,
        source: tuple[Any, int | None],
        target: tuple[Any, int | None],
        verb: Callable[[Posix, Any, Any], None],
    ) -> None:
        """A verb of two paths, each perhaps relative to an open directory of its own."""
        (src, src_fd), (dst, dst_fd) = source, target
        session = self._session
        try:
            if src_fd == dst_fd:
                verb(session.at(src, src_fd), src, dst)
            else:
                # One view has one start: the second path is told from the root.
                verb(session.at(src, src_fd), src, session.absolute(dst, dst_fd))
        except OSError as error:
            error.filename, error.filename2 = src, dst
            raise

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        path = spelt("unlink", path)
        self._session.at(path, dir_fd).unlink(path)

    def remove(self, path: Any, *, dir_fd: int | None = None) -> None:
        path = spelt("remove", path)
        self._session.at(path, dir_fd).unlink(path)

    def rmdir(self, path: Any, *, dir_fd: int | None = None) -> None:
        path = spelt("rmdir", path)
        self._session.at(path, dir_fd).rmdir(path)

    # -- functions that the standard library builds from those above

    def walk(self, *args: Any, **named_args: Any) -> Any:
        return self._built("walk")(*args, **named_args)

    def fwalk(self, *args: Any, **named_args: Any) -> Any:
        return self._built("fwalk")(*args, **named_args)

    def makedirs(self, *args: Any, **named_args: Any) -> None:
        self._built("makedirs")(*args, **named_args)

    def removedirs(self, *args: Any, **named_args: Any) -> None:
        self._built("removedirs")(*args, **named_args)

    def renames(self, *args: Any, **named_args: Any) -> None:
        self._built("renames")(*args, **named_args)

    def _built(self, name: str) -> Callable[..., Any]:
        """A function of ``os`` that is written in Python, over this module."""
        names = self._session.made.get("os")
        if names is None:
            own = {each: getattr(self, each) for each in self.dir()}  # type: ignore[attr-defined]
            names = {**vars(os), **own, "path": self.path}  # type: ignore[attr-defined]
            for each in ("walk", "_walk", "fwalk", "_fwalk", "makedirs", "removedirs", "renames"):
                if hasattr(os, each):  # the two with underscores come and go with Python's versions
                    names[each] = rebuilt(getattr(os, each), names)
            self._session.made["os"] = names
        found: Callable[..., Any] = names[name]
        return found


def _stem(path: Any) -> Any:
    """What stands before a name in ``DirEntry.path``."""
    if isinstance(path, bytes):
        return path if path.endswith(b"/") else path + b"/"
    return path if path.endswith("/") else path + "/"


def _entries(view: Posix, path: Any, stem: Any) -> list[DirEntry[Any]]:
    """The entries of a directory; ``stem`` None: it was given by descriptor, and paths are names."""
    names: list[Any] = view.listdir(path)
    opened: File = view.open(path, os.O_PATH | os.O_DIRECTORY)
    directory = view.beside(opened)
    seeing = directory.acting_as(ROOT).beside(opened)

    def entry(name: Any) -> DirEntry[Any]:
        place = name if stem is None else stem + name
        start = directory if stem is None else view

        def look(follow: bool) -> os.stat_result:  # noqa: FBT001 - DirEntry's question
            return stat_result(start, place, follow_symlinks=follow)

        return DirEntry(name, place, _listed(seeing, name), look)

    return [entry(name) for name in names]


def _listed(seeing: Posix, name: Any) -> Stat | None:
    """What a listing tells of a name (d_type, d_ino); None for a stray whiteout, which leads nowhere."""
    try:
        return seeing.lstat(name)
    except FileNotFoundError:
        return None
