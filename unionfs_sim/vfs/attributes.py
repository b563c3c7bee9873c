"""Changing owner, mode, times and size; each refuses in the order of fs/open.c and fs/attr.c."""

from __future__ import annotations

import errno
from contextlib import nullcontext

from unionfs_sim.filesystem import Attributes
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import PERMISSIONS, REGULAR, SETGID, SETUID, SYMLINK, TYPE, WRITE
from unionfs_sim.vfs.openfile import truncate_node
from unionfs_sim.vfs.permission import drops_sgid, fail, owns, require, require_owner
from unionfs_sim.vfs.tree import Change
from unionfs_sim.vfs.walk import PathLike, View, begin, find, find_usable
from unionfs_sim.vfs.xattr import listxattr, removexattr, setxattr

KEEP = -1
"""As a uid or gid: leave it as it is (chown(2))."""


def _writable(view: View, path: PathLike, *, follow: bool) -> Node:
    begin(view)
    node = find_usable(view, path, follow=follow)
    if view._tree.read_only:
        fail(errno.EROFS)
    return node


def chmod(view: View, path: PathLike, mode: int, /, *, follow_symlinks: bool = True) -> None:
    """Set the permission bits; only the owner may, and setgid only for a group one is in."""
    try:
        node = _writable(view, path, follow=follow_symlinks)
        if node.mode & TYPE == SYMLINK:
            fail(errno.EOPNOTSUPP)
        require_owner(node, view.caller)
        mode &= PERMISSIONS
        if mode & SETGID and view.caller.uid and not view.caller.in_group(node.gid):
            mode &= ~SETGID
        view._tree.change(node, Change(mode=node.mode & TYPE | mode))
    except OSError as error:
        error.filename = path
        raise


def chown(view: View, path: PathLike, uid: int, gid: int, /, *, follow_symlinks: bool = True) -> None:
    """Set the owner; -1 keeps. A file loses setuid, and setgid where a group may execute it."""
    try:
        node = _writable(view, path, follow=follow_symlinks)
        view._tree.change(node, _owner_change(view, node, uid, gid))
    except OSError as error:
        error.filename = path
        raise


def _owner_change(view: View, node: Node, uid: int, gid: int) -> Change:
    caller = view.caller
    dropped = 0
    if not node.is_dir:
        dropped = SETUID | (SETGID if drops_sgid(node, caller) else 0)
    if uid != KEEP and caller.uid and not (caller.uid == node.uid == uid):
        fail(errno.EPERM)
    if (
        gid != KEEP
        and caller.uid
        and not (caller.uid == node.uid and (caller.in_group(gid) or gid == node.gid))
    ):
        fail(errno.EPERM)
    if dropped & node.mode:
        require_owner(node, caller)
    return Change(uid=None if uid == KEEP else uid, gid=None if gid == KEEP else gid, dropped=dropped)


def utime(
    view: View,
    path: PathLike,
    /,
    ns: tuple[int, int] | None = None,
    *,
    follow_symlinks: bool = True,
) -> None:
    """Set (atime, mtime) in nanoseconds; None: now, which a caller who may write may do too."""
    try:
        node = _writable(view, path, follow=follow_symlinks)
        if ns is None:
            if not owns(node, view.caller):
                require(node, view.caller, WRITE)
            now = view._tree.clock()
            ns = now, now
        else:
            require_owner(node, view.caller)
        view._tree.change(node, Change(atime_ns=ns[0], mtime_ns=ns[1]))
    except OSError as error:
        error.filename = path
        raise


def truncate(view: View, path: PathLike, size: int, /) -> None:
    """Cut or extend (with a hole) to ``size`` bytes."""
    try:
        if size < 0:
            fail(errno.EINVAL)
        node = find(view, path)
        if node.mode & TYPE != REGULAR:
            fail(errno.EISDIR if node.is_dir else errno.EINVAL)
        _writable(view, path, follow=True)
        require(node, view.caller, WRITE)
        if node in view._tree.running:
            fail(errno.ETXTBSY)
        truncate_node(view._tree, node, size, view.caller, now=False)
    except OSError as error:
        error.filename = path
        raise


def set_attributes(view: View, path: PathLike, change: Attributes, /) -> None:
    """Change owner, then mode, xattrs and times, of the name itself (as root would restore them)."""
    tree = view._tree
    with nullcontext() if tree.journal is None else tree.journal.operation():
        if change.uid is not None or change.gid is not None:
            uid = KEEP if change.uid is None else change.uid
            gid = KEEP if change.gid is None else change.gid
            chown(view, path, uid, gid, follow_symlinks=False)
        if change.mode is not None and find(view, path, follow=False).mode & TYPE != SYMLINK:
            chmod(view, path, change.mode)
        for name, value in (change.xattrs or {}).items():
            if value is not None:
                setxattr(view, path, name, value, follow_symlinks=False)
            elif name in listxattr(view, path, follow_symlinks=False):
                removexattr(view, path, name, follow_symlinks=False)
        if change.atime_ns is not None or change.mtime_ns is not None:
            now = tree.stat(find(view, path, follow=False))
            atime = now.st_atime_ns if change.atime_ns is None else change.atime_ns
            mtime = now.st_mtime_ns if change.mtime_ns is None else change.mtime_ns
            utime(view, path, (atime, mtime), follow_symlinks=False)
