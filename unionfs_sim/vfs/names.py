"""Making, linking, removing and moving names; each refuses in the order of fs/namei.c."""

from __future__ import annotations

import errno

from unionfs_sim.nodes.inode import DEAD, Node
from unionfs_sim.nodes.kinds import (
    BLOCK_DEVICE,
    CHARACTER_DEVICE,
    DIRECTORY,
    EVERYTHING,
    EXECUTE,
    FIFO,
    PERMISSIONS,
    READ,
    REGULAR,
    SETGID_PROGRAM,
    SETUID,
    SOCKET,
    STICKY,
    SYMLINK,
    TYPE,
    WRITE,
)
from unionfs_sim.vfs.flags import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.permission import asked_mode, check_sticky, fail, owns, require
from unionfs_sim.vfs.tree import Dentry
from unionfs_sim.vfs.walk import NAME_MAX, PathLike, View, as_text, begin, check_name, find, find_parent

RENAME_FLAGS = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT
_DEVICES = (CHARACTER_DEVICE, BLOCK_DEVICE)

# -- making


def mkdir(view: View, path: PathLike, mode: int = EVERYTHING, /) -> None:
    """Make a directory."""
    try:
        _make(view, path, DIRECTORY | mode & (EVERYTHING | STICKY), None)
    except OSError as error:
        error.filename = path
        raise


def mknod(view: View, path: PathLike, mode: int = 0o600, rdev: int = 0, /) -> None:
    """Make a regular file, fifo, socket or device; the S_IFMT bits of ``mode`` say which."""
    kind = mode & TYPE or REGULAR
    try:
        if kind == DIRECTORY:
            fail(errno.EPERM)
        if kind not in (REGULAR, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET):
            fail(errno.EINVAL)
        _make(view, path, kind | mode & PERMISSIONS, rdev if kind in _DEVICES else None)
    except OSError as error:
        error.filename = path
        raise


def symlink(view: View, target: str | bytes, path: PathLike, /) -> None:
    """Make a symlink at ``path``."""
    try:
        _make(view, path, SYMLINK | EVERYTHING, as_text(target))
    except OSError as error:
        error.filename, error.filename2 = target, path
        raise


def _make(view: View, path: PathLike, mode: int, body: str | int | None) -> None:
    begin(view)
    caller = view.caller
    kind = mode & TYPE
    directory, name = vacant(view, path, takes_slashes=kind == DIRECTORY)
    if not directory.permits(caller, WRITE | EXECUTE):
        fail(errno.EACCES)
    # Whoever may write a directory of a plain file system may make a whiteout in it (Linux 5.8).
    if kind in _DEVICES and caller.uid and not (kind == CHARACTER_DEVICE and body == 0):
        fail(errno.EPERM)
    if kind != SYMLINK:
        mode = asked_mode(directory, caller, mode)
    view._tree.make(directory, name, mode, caller, body)


def vacant(view: View, path: PathLike, *, takes_slashes: bool = False) -> tuple[Node, str]:
    """(directory, name) of a path where nothing is yet (filename_create)."""
    directory, name, has_slashes = find_parent(view, path)
    if name in ("", ".", ".."):
        fail(errno.EEXIST)
    if directory.children is DEAD:
        fail(errno.ENOENT)
    if directory.children.get(name) is not None:
        fail(errno.EEXIST)
    check_name(name)
    if view._tree.lookup(directory, name) is not None:
        fail(errno.EEXIST)
    if has_slashes and not takes_slashes:
        fail(errno.ENOENT)
    if view._tree.read_only:
        fail(errno.EROFS)
    return directory, name


def link(view: View, source: PathLike, path: PathLike, /, *, follow_symlinks: bool = False) -> None:
    """Give the file at ``source`` a second name."""
    begin(view)
    try:
        node = _source(view, source, follow=follow_symlinks)
        directory, name = vacant(view, path)
        _may_link(view, node)
        require(directory, view.caller, WRITE | EXECUTE)
        if node.is_dir:
            fail(errno.EPERM)
        if isinstance(source, File):
            with source.naming():
                view._tree.link(node, directory, name)
        else:
            view._tree.link(node, directory, name)
    except OSError as error:
        error.filename, error.filename2 = source, path
        raise


def _source(view: View, source: PathLike, *, follow: bool) -> Node:
    """What a link is made to: a path, or an open file as linkat(2) takes it with AT_EMPTY_PATH."""
    if not isinstance(source, File):
        return find(view, source, follow=follow)
    node = source.usable()
    if view.caller.uid and view.caller is not source.opener:
        fail(errno.ENOENT)
    return node


def _may_link(view: View, node: Node) -> None:
    """Raise EPERM where the sysctl fs.protected_hardlinks forbids a link to another's file."""
    if owns(node, view.caller):
        return
    is_safe = (
        node.mode & TYPE == REGULAR
        and not node.mode & SETUID
        and node.mode & SETGID_PROGRAM != SETGID_PROGRAM
        and node.permits(view.caller, READ | WRITE)
    )
    if not is_safe:
        fail(errno.EPERM)


# -- taking away


def unlink(view: View, path: PathLike, /) -> None:
    """Take away a name that is not a directory."""
    begin(view)
    try:
        directory, name, has_slashes = find_parent(view, path)
        if name in ("", ".", ".."):
            fail(errno.EISDIR)
        if view._tree.read_only:
            fail(errno.EROFS)
        node = _victim(view, directory, name)
        if has_slashes:
            fail(errno.EISDIR if node.is_dir else errno.ENOTDIR)
        may_remove(view, directory, node)
        if node.mode & TYPE == DIRECTORY:
            fail(errno.EISDIR)
        view._tree.unlink(directory, name, node)
    except OSError as error:
        error.filename = path
        raise


def rmdir(view: View, path: PathLike, /) -> None:
    """Take away an empty directory."""
    begin(view)
    try:
        directory, name, _ = find_parent(view, path)
        if name in ("", ".", ".."):
            fail({"": errno.EBUSY, ".": errno.EINVAL, "..": errno.ENOTEMPTY}[name])
        if view._tree.read_only:
            fail(errno.EROFS)
        node = _victim(view, directory, name)
        may_remove(view, directory, node)
        if not node.is_dir:
            fail(errno.ENOTDIR)
        view._tree.rmdir(directory, name, node)
    except OSError as error:
        error.filename = path
        raise


def remove(view: View, path: PathLike, /) -> None:
    """Take a name away: unlink(2), or rmdir(2) if it is a directory."""
    try:
        is_directory = find(view, path, follow=False).is_dir
    except OSError as error:
        error.filename = path
        raise
    (rmdir if is_directory else unlink)(view, path)


def _victim(view: View, directory: Node, name: str) -> Node:
    node = directory.children.get(name)
    if node is None:
        if len(name) > NAME_MAX // 4:
            check_name(name)
        node = view._tree.lookup(directory, name)
        if node is None:
            fail(errno.ENOENT)
    return node


def may_remove(view: View, directory: Node, node: Node) -> None:
    """Raise EACCES or EPERM where the caller may not take ``node`` out of ``directory`` (may_delete)."""
    if not directory.permits(view.caller, WRITE | EXECUTE):
        fail(errno.EACCES)
    if directory.mode & STICKY:
        check_sticky(directory, node, view.caller)


# -- moving


def renameat2(view: View, source: PathLike, path: PathLike, flags: int, /) -> None:
    """Move a name with flags: RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT."""
    begin(view)
    try:
        move(view, source, path, flags)
    except OSError as error:
        error.filename, error.filename2 = source, path
        raise


def move(view: View, source: PathLike, path: PathLike, flags: int) -> None:
    """do_renameat2: looks both names up, and refuses in the kernel's order."""
    tree = view._tree
    exchanging = flags & RENAME_EXCHANGE
    if flags & ~RENAME_FLAGS or (exchanging and flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)):
        fail(errno.EINVAL)
    old_directory, old_name, old_slashes = find_parent(view, source)
    new_directory, new_name, new_slashes = find_parent(view, path)
    if old_name in ("", ".", ".."):
        fail(errno.EBUSY)
    if new_name in ("", ".", ".."):
        fail(errno.EEXIST if flags & RENAME_NOREPLACE else errno.EBUSY)
    if tree.read_only:
        fail(errno.EROFS)
    node = _victim(view, old_directory, old_name)
    if new_directory.children is DEAD:
        fail(errno.ENOENT)
    check_name(new_name)
    other = tree.lookup(new_directory, new_name)
    if other is not None and flags & RENAME_NOREPLACE:
        fail(errno.EEXIST)
    if exchanging:
        if other is None:
            fail(errno.ENOENT)
        if not other.is_dir and new_slashes:
            fail(errno.ENOTDIR)
    if not node.is_dir and (old_slashes or (new_slashes and not exchanging)):
        fail(errno.ENOTDIR)
    if node.is_dir and _is_within(new_directory, node):
        fail(errno.EINVAL)
    if other is not None and other.is_dir and _is_within(old_directory, other):
        fail(errno.EINVAL if exchanging else errno.ENOTEMPTY)
    if node is other:
        return
    old, new = Dentry(old_directory, old_name, node), Dentry(new_directory, new_name, other)
    _may_rename(view, node, old, new, flags)
    tree.rename(old, new, flags)
    if flags & RENAME_WHITEOUT:
        tree.make(old_directory, old_name, CHARACTER_DEVICE, view.caller, 0)


def _may_rename(view: View, node: Node, old: Dentry[Node, Node], new: Dentry[Node, Node], flags: int) -> None:
    """The checks of vfs_rename, in its order."""
    other = new.node
    may_remove(view, old.directory, node)
    if other is None:
        require(new.directory, view.caller, WRITE | EXECUTE)
    else:
        may_remove(view, new.directory, other)
        if not flags & RENAME_EXCHANGE and node.is_dir != other.is_dir:
            fail(errno.ENOTDIR if node.is_dir else errno.EISDIR)
    if new.directory is not old.directory:
        if node.is_dir:
            require(node, view.caller, WRITE)
        if flags & RENAME_EXCHANGE and other is not None and other.is_dir:
            require(other, view.caller, WRITE)


def _is_within(directory: Node, ancestor: Node) -> bool:
    """Whether ``directory`` is ``ancestor`` or lies below it."""
    while directory is not ancestor:
        if directory.parent is directory:
            return False
        directory = directory.parent
    return True
