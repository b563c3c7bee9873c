"""Looking without changing: attributes, listings, targets, access(2), a walk of everything."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import AnyStr, NamedTuple

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.content import PAGE, Content
from unionfs_sim.nodes.kinds import DIRECTORY, EXECUTE, READ, REGULAR, SYMLINK, TYPE, WRITE
from unionfs_sim.vfs.flags import ST_RDONLY, ST_RELATIME
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.permission import fail, require
from unionfs_sim.vfs.walk import NAME_MAX, PathLike, View, find, find_directory


class StatVfs(NamedTuple):
    """What statvfs(3) tells, as far as a tree in memory has an answer."""

    f_bsize: int
    f_frsize: int
    f_namemax: int
    f_flag: int


def stat(view: View, path: PathLike, /, *, follow_symlinks: bool = True) -> Stat:
    """The attributes of what is at ``path``."""
    try:
        if isinstance(path, File):
            return path.stat()
        return view._tree.stat(find(view, path, follow=follow_symlinks))
    except OSError as error:
        error.filename = path
        raise


def lstat(view: View, path: PathLike, /) -> Stat:
    """The attributes of the name itself."""
    try:
        return view._tree.stat(find(view, path, follow=False))
    except OSError as error:
        error.filename = path
        raise


def content(view: View, path: PathLike, /) -> Content:
    """The bytes of the regular file at ``path`` itself, not copied; equal bytes may be one object."""
    try:
        node = find(view, path, follow=False)
        if node.mode & TYPE != REGULAR:
            fail(errno.EINVAL)
        return view._tree.content(node)
    except OSError as error:
        error.filename = path
        raise


def exists(view: View, path: PathLike, /) -> bool:
    """Whether ``path`` leads to something that the caller can reach."""
    try:
        find(view, path)
    except (OSError, ValueError):
        return False
    return True


def access(view: View, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> bool:
    """Whether the caller may read, write or execute (``os.R_OK | os.W_OK | os.X_OK``)."""
    try:
        node = find(view, path, follow=follow_symlinks)
    except OSError:
        return False
    if mode & WRITE and view._tree.read_only and node.mode & TYPE in (REGULAR, DIRECTORY, SYMLINK):
        return False
    return node.permits(view.caller, mode)


def listdir(view: View, path: AnyStr | os.PathLike[AnyStr] = "/", /) -> list[AnyStr]:  # type: ignore[assignment]
    """The names in a directory, without ``.`` and ``..``."""
    try:
        node = find(view, path)
        if node.mode & TYPE != DIRECTORY:
            fail(errno.ENOTDIR)
        require(node, view.caller, READ)
        names = view._tree.entries(node)
        view._tree.listed(node)
    except OSError as error:
        error.filename = path
        raise
    if isinstance(path, str) or isinstance(os.fspath(path), str):
        return names  # type: ignore[return-value]
    return [name.encode("utf-8", "surrogateescape") for name in names]  # type: ignore[misc]


def readlink(view: View, path: AnyStr | os.PathLike[AnyStr], /) -> AnyStr:
    """The target of a symlink, as stored."""
    try:
        node = find(view, path, follow=False)
        if node.mode & TYPE != SYMLINK:
            fail(errno.EINVAL)
        target = view._tree.target(node)
        view._tree.accessed(node)
    except OSError as error:
        error.filename = path
        raise
    if isinstance(path, str) or isinstance(os.fspath(path), str):
        return target  # type: ignore[return-value]
    return target.encode("utf-8", "surrogateescape")  # type: ignore[return-value]


def walk(view: View, top: str = "/") -> Iterator[tuple[str, list[str], list[str]]]:
    """As ``os.walk``: (path, directories, other names), parents first; unreadable ones are left out."""
    try:
        todo = [(top, find_directory(view, top))]
    except OSError:
        return
    tree, caller = view._tree, view.caller
    while todo:
        path, node = todo.pop()
        if not node.permits(caller, READ):
            continue
        directories: list[str] = []
        others: list[str] = []
        for name, is_directory in tree.typed_entries(node):
            (directories if is_directory else others).append(name)
        yield path, directories, others
        if directories and node.permits(caller, EXECUTE):
            stem = path if path[-1] == "/" else path + "/"
            for name in reversed(directories):
                child = tree.lookup(node, name)
                if child is not None and child.is_dir:
                    todo.append((stem + name, child))


def statvfs(view: View, path: PathLike = "/", /) -> StatVfs:
    """The limits of the file system: names of 255 bytes, pages of 4096."""
    try:
        find(view, path)
    except OSError as error:
        error.filename = path
        raise
    return StatVfs(PAGE, PAGE, NAME_MAX, ST_RELATIME | (ST_RDONLY if view._tree.read_only else 0))
