"""The functions of ``os`` that take the path of a file: looking, making, moving, removing."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from unionfs_sim.fakefs.scanning import DirEntry, Scan, stat_result
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, nameless, spelt, spelt_or_number
from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.nodes.kinds import FIFO, PERMISSIONS
from unionfs_sim.vfs import flags
from unionfs_sim.vfs.posix import Posix

PathT = TypeVar("PathT", str, bytes)
Name = str | bytes

# -- looking


def stat(
    session: Session, path: object, *, dir_fd: int | None = None, follow_symlinks: bool = True
) -> os.stat_result:
    place = spelt_or_number("stat", path)
    if isinstance(place, int):
        return named(
            place, lambda: stat_result(session.view, session.descriptors.get(place), follow_symlinks=True)
        )
    return stat_result(session.at(place, dir_fd), place, follow_symlinks=follow_symlinks)


def lstat(session: Session, path: object, *, dir_fd: int | None = None) -> os.stat_result:
    place = spelt("lstat", path)
    return stat_result(session.at(place, dir_fd), place, follow_symlinks=False)


def access(
    session: Session,
    path: object,
    mode: int,
    *,
    dir_fd: int | None = None,
    effective_ids: bool = False,  # noqa: ARG001 - a caller has one set of ids
    follow_symlinks: bool = True,
) -> bool:
    place = spelt("access", path)
    try:
        view = session.at(place, dir_fd)
    except OSError:
        return False
    return view.access(place, mode, follow_symlinks=follow_symlinks)


def listdir(session: Session, path: object = None) -> list[str] | list[bytes]:
    place = "." if path is None else spelt_or_number("listdir", path, none=True)
    if isinstance(place, int):
        file = session.descriptors.get(place)
        return named(place, lambda: session.view.beside(file).listdir("."))
    if isinstance(place, str):
        return session.view.listdir(place)
    return session.view.listdir(place)


def scandir(session: Session, path: object = None) -> Scan[str] | Scan[bytes]:
    place = "." if path is None else spelt_or_number("scandir", path, none=True)
    if isinstance(place, int):
        file = session.descriptors.get(place)
        return Scan(iter(named(place, lambda: _entries(session.view.beside(file), ".", None))))
    if isinstance(place, str):
        return Scan(iter(_entries(session.view, place, place if place.endswith("/") else place + "/")))
    return Scan(iter(_entries(session.view, place, place if place.endswith(b"/") else place + b"/")))


def readlink(session: Session, path: object, *, dir_fd: int | None = None) -> str | bytes:
    place = spelt("readlink", path)
    view = session.at(place, dir_fd)
    if isinstance(place, str):
        return view.readlink(place)
    return view.readlink(place)


# -- making, moving, removing


def mkdir(session: Session, path: object, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
    place = spelt("mkdir", path)
    session.at(place, dir_fd).mkdir(place, mode)


def mkfifo(session: Session, path: object, mode: int = 0o666, *, dir_fd: int | None = None) -> None:
    place, kind = spelt("mkfifo", path), FIFO | mode & PERMISSIONS
    nameless(lambda: session.at(place, dir_fd).mknod(place, kind))


def mknod(
    session: Session, path: object, mode: int = 0o600, device: int = 0, *, dir_fd: int | None = None
) -> None:
    place = spelt("mknod", path)
    nameless(lambda: session.at(place, dir_fd).mknod(place, mode, device))


def symlink(
    session: Session,
    src: object,
    dst: object,
    target_is_directory: bool = False,  # noqa: ARG001, FBT001, FBT002 - for Windows only
    *,
    dir_fd: int | None = None,
) -> None:
    source, target = spelt("symlink", src, "src"), spelt("symlink", dst, "dst")
    session.at(target, dir_fd).symlink(source, target)


def link(
    session: Session,
    src: object,
    dst: object,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
    follow_symlinks: bool = True,
) -> None:
    # Linux: os.link without flags does not follow, whatever its default says (link(2)).
    follow = follow_symlinks and (src_dir_fd is not None or dst_dir_fd is not None)
    source, target = spelt("link", src, "src"), spelt("link", dst, "dst")
    _across(
        session,
        (source, src_dir_fd),
        (target, dst_dir_fd),
        lambda view, a, b: view.link(a, b, follow_symlinks=follow),
    )


def rename(
    session: Session,
    src: object,
    dst: object,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
) -> None:
    source, target = spelt("rename", src, "src"), spelt("rename", dst, "dst")
    _across(session, (source, src_dir_fd), (target, dst_dir_fd), lambda view, a, b: view.rename(a, b))


def replace(
    session: Session,
    src: object,
    dst: object,
    *,
    src_dir_fd: int | None = None,
    dst_dir_fd: int | None = None,
) -> None:
    source, target = spelt("replace", src, "src"), spelt("replace", dst, "dst")
    _across(session, (source, src_dir_fd), (target, dst_dir_fd), lambda view, a, b: view.rename(a, b))


def _across(
    session: Session,
    source: tuple[Name, int | None],
    target: tuple[Name, int | None],
    verb: Callable[[Posix, Name, Name], None],
) -> None:
    """A verb of two paths, each perhaps relative to an open directory of its own."""
    (src, src_fd), (dst, dst_fd) = source, target
    try:
        if src_fd == dst_fd:
            verb(session.at(src, src_fd), src, dst)
        else:
            # One view has one start: the second path is told from the root.
            verb(session.at(src, src_fd), src, session.absolute(dst, dst_fd))
    except OSError as error:
        error.filename, error.filename2 = src, dst
        raise


def unlink(session: Session, path: object, *, dir_fd: int | None = None) -> None:
    place = spelt("unlink", path)
    session.at(place, dir_fd).unlink(place)


def remove(session: Session, path: object, *, dir_fd: int | None = None) -> None:
    place = spelt("remove", path)
    session.at(place, dir_fd).unlink(place)


def rmdir(session: Session, path: object, *, dir_fd: int | None = None) -> None:
    place = spelt("rmdir", path)
    session.at(place, dir_fd).rmdir(place)


def _entries(view: Posix, path: PathT, stem: PathT | None) -> list[DirEntry[PathT]]:
    """The entries of a directory; ``stem`` None: it was given by descriptor, and paths are names."""
    opened = view.open(path, flags.PATH | flags.DIRECTORY)
    directory = view.beside(opened)
    seeing = directory.acting_as(ROOT).beside(opened)

    def entry(name: PathT) -> DirEntry[PathT]:
        place = name if stem is None else stem + name
        start = directory if stem is None else view

        def look(follow: bool) -> os.stat_result:  # noqa: FBT001 - DirEntry's question
            return stat_result(start, place, follow_symlinks=follow)

        return DirEntry(name, place, _listed(seeing, name), look)

    return [entry(name) for name in view.listdir(path)]


def _listed(seeing: Posix, name: Name) -> Stat | None:
    """What a listing tells of a name (d_type, d_ino); None for a stray whiteout, which leads nowhere."""
    try:
        return seeing.lstat(name)
    except FileNotFoundError:
        return None
