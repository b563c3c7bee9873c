"""open(2): what the flags mean, in the order in which the kernel looks at them (fs/open.c, fs/namei.c)."""

from __future__ import annotations

import errno

from unionfs_sim.nodes.inode import DEAD, Node
from unionfs_sim.nodes.kinds import (
    CHARACTER_DEVICE,
    DIRECTORY,
    EXECUTE,
    FIFO,
    PERMISSIONS,
    READ,
    REGULAR,
    SYMLINK,
    TYPE,
    WRITE,
)
from unionfs_sim.vfs import flags as o
from unionfs_sim.vfs.openfile import FULL, NULL, ZERO, File, device_of, truncate_node
from unionfs_sim.vfs.permission import asked_mode, check_sticky_creation, fail, require, require_owner
from unionfs_sim.vfs.walk import (
    MAX_LINKS,
    PathLike,
    View,
    begin,
    check_name,
    find,
    find_parent,
    find_target,
)

_WANTED = (READ, WRITE, READ | WRITE, READ | WRITE)
"""What each way of opening wants to be allowed."""

_CHANGES = o.WRONLY | o.RDWR | o.CREAT | o.TRUNC | o.UNNAMED
"""Flags under which the tree may change; to open for reading is only a look."""


def open_file(view: View, path: PathLike, flags: int = o.RDONLY, mode: int = 0o666, /) -> File:
    """An open file; ``flags`` and ``mode`` are those of the system call, ``os.O_*``."""
    try:
        return _open(view, path, flags, mode)
    except OSError as error:
        error.filename = path
        raise


def _open(view: View, path: PathLike, flags: int, mode: int) -> File:
    if flags & _CHANGES and not flags & o.PATH:
        begin(view)
    if flags & o.PATH:
        flags &= o.PATH | o.DIRECTORY | o.NOFOLLOW | o.CLOEXEC
    elif flags & (o.UNNAMED | o.CREAT):
        if flags & o.UNNAMED:
            return _open_unnamed(view, path, flags, mode)
        if flags & o.DIRECTORY:
            fail(errno.EINVAL)
        return _open_or_create(view, path, flags, mode)
    node = find(view, path, follow=not flags & o.NOFOLLOW)
    if flags & o.DIRECTORY and node.mode & TYPE != DIRECTORY:
        fail(errno.ENOTDIR)
    if flags & o.PATH:
        return File(view._tree, node, flags, view.caller)
    return _open_node(view, node, flags)


def _open_unnamed(view: View, path: PathLike, flags: int, mode: int) -> File:
    if flags & o.TMPFILE != o.TMPFILE or flags & o.CREAT or flags & o.ACCESS not in (o.WRONLY, o.RDWR):
        fail(errno.EINVAL)
    directory = find(view, path, follow=not flags & o.NOFOLLOW)
    if not directory.is_dir:
        fail(errno.ENOTDIR)
    if view._tree.read_only:
        fail(errno.EROFS)
    require(directory, view.caller, WRITE | EXECUTE)
    wanted = asked_mode(directory, view.caller, REGULAR | mode & PERMISSIONS)
    node = view._tree.make_unnamed(directory, wanted, view.caller)
    return File(view._tree, node, flags, view.caller)


def _open_or_create(view: View, path: PathLike, flags: int, mode: int) -> File:
    """O_CREAT: a symlink in the last place is followed by hand, as its target may be made."""
    tree = view._tree
    directory, name, has_slashes = find_parent(view, path)
    links = 0
    while True:
        if name in ("", ".", ".."):
            node = directory if name != ".." or directory is view._root else directory.parent
            break
        if has_slashes:
            fail(errno.EISDIR)
        child = directory.children.get(name)
        if child is None:
            check_name(name)
            child = tree.lookup(directory, name)
            if child is None:
                return _create(view, directory, name, flags, mode)
        node = child
        if node.mode & TYPE != SYMLINK or flags & o.NOFOLLOW or flags & o.EXCL:
            break
        links += 1
        if links > MAX_LINKS:
            fail(errno.ELOOP)
        # The links on the way are counted by the walk; a chain at the end is counted here.
        directory, name, has_slashes = find_target(view, node, directory, links)
    if flags & o.EXCL:
        fail(errno.EEXIST)
    if node.mode & TYPE == DIRECTORY:
        fail(errno.EISDIR)
    check_sticky_creation(directory, node, view.caller)
    return _open_node(view, node, flags)


def _create(view: View, directory: Node, name: str, flags: int, mode: int) -> File:
    tree, caller = view._tree, view.caller
    if directory.children is DEAD:
        fail(errno.ENOENT)  # the directory itself was removed
    if tree.read_only:
        fail(errno.EROFS)
    if not directory.permits(caller, WRITE | EXECUTE):
        fail(errno.EACCES)
    mode = asked_mode(directory, caller, REGULAR | mode & PERMISSIONS)
    node = tree.make(directory, name, mode, caller, None)
    return File(tree, node, flags, caller)


def _open_node(view: View, node: Node, flags: int) -> File:
    """do_open and may_open of fs/namei.c, then the open of the file system."""
    tree, caller = view._tree, view.caller
    wanted = _WANTED[flags & o.ACCESS]
    truncating = flags & o.TRUNC
    kind = node.mode & TYPE
    if truncating:
        wanted |= WRITE
        if kind == REGULAR and tree.read_only:
            fail(errno.EROFS)
    if kind == SYMLINK:
        fail(errno.ELOOP)
    if kind == DIRECTORY and wanted & WRITE:
        fail(errno.EISDIR)
    if wanted & WRITE and tree.read_only and kind == REGULAR:
        fail(errno.EROFS)
    if not node.permits(caller, wanted):
        fail(errno.EACCES)
    if flags & o.NOATIME:
        require_owner(node, caller)
    if kind == REGULAR:
        if wanted & WRITE and node in tree.running:
            fail(errno.ETXTBSY)
        tree.before_open(node, writing=wanted & WRITE != 0, truncating=truncating != 0)
        if truncating:
            truncate_node(tree, node, 0, caller, now=True)
    elif kind != DIRECTORY:
        _open_special(view, node, kind, flags)
    return File(tree, node, flags, caller)


def _open_special(view: View, node: Node, kind: int, flags: int) -> None:
    """A fifo without a reader, a socket, a device that no driver serves: ENXIO."""
    if kind == FIFO:
        if flags & o.ACCESS == o.WRONLY and flags & o.NONBLOCK:
            fail(errno.ENXIO)
    elif kind != CHARACTER_DEVICE or device_of(view._tree, node) not in (NULL, ZERO, FULL):
        fail(errno.ENXIO)
