"""Extended attributes: which names exist, who may touch them, in which order the kernel refuses."""

from __future__ import annotations

import errno
from typing import Final

from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import DIRECTORY, READ, REGULAR, STICKY, TYPE, WRITE
from unionfs_sim.vfs.capability import CAPABILITY, check_capability, shown_capability
from unionfs_sim.vfs.flags import XATTR_CREATE, XATTR_REPLACE
from unionfs_sim.vfs.openfile import as_bytes
from unionfs_sim.vfs.permission import fail, owns, require
from unionfs_sim.vfs.walk import PathLike, View, begin, find_usable

MAX_NAME: Final = 255
MAX_VALUE: Final = 65536
MAX_LIST: Final = 65536
NAMESPACES: Final = ("user.", "trusted.", "security.")


def check_namespace(name: str) -> None:
    """Raise EOPNOTSUPP for a name outside of the namespaces of tmpfs, EINVAL for one with nothing behind."""
    if not name.startswith(NAMESPACES):
        fail(errno.EOPNOTSUPP)
    if name in NAMESPACES:
        fail(errno.EINVAL)


def _check_permission(view: View, node: Node, name: str, wanted: int) -> None:
    """xattr_permission of fs/xattr.c."""
    caller = view.caller
    if wanted & WRITE and view._tree.read_only:
        fail(errno.EROFS)
    if name.startswith(("security.", "system.")):
        return
    if name.startswith("trusted."):
        if caller.uid:
            fail(errno.EPERM if wanted & WRITE else errno.ENODATA)
        return
    if name.startswith("user."):
        if node.mode & TYPE not in (REGULAR, DIRECTORY):
            fail(errno.EPERM if wanted & WRITE else errno.ENODATA)
        if node.is_dir and node.mode & STICKY and wanted & WRITE and not owns(node, caller):
            fail(errno.EPERM)
    require(node, caller, wanted)


def _as_name(name: str | bytes) -> str:
    text = name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name
    if "\0" in text:
        raise ValueError("embedded null byte")
    if not text or len(text.encode("utf-8", "surrogateescape")) > MAX_NAME:
        fail(errno.ERANGE)
    return text


def getxattr(view: View, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> bytes:
    """The value of an extended attribute; ENODATA if there is none."""
    try:
        text = _as_name(name)
        node = find_usable(view, path, follow=follow_symlinks)
        _check_permission(view, node, text, READ)
        value = view._tree.getxattr(node, text)
        if value is None:
            fail(errno.ENODATA)
        if text == CAPABILITY:
            value = shown_capability(value)
    except OSError as error:
        error.filename = path
        raise
    return value


def setxattr(
    view: View,
    path: PathLike,
    name: str | bytes,
    value: bytes,
    flags: int = 0,
    /,
    *,
    follow_symlinks: bool = True,
) -> None:
    """Set an extended attribute; ``flags``: os.XATTR_CREATE or os.XATTR_REPLACE."""
    _change(view, path, name, as_bytes(value), flags, follow=follow_symlinks)


def removexattr(view: View, path: PathLike, name: str | bytes, /, *, follow_symlinks: bool = True) -> None:
    """Take an extended attribute away; ENODATA if there is none."""
    _change(view, path, name, None, XATTR_REPLACE, follow=follow_symlinks)


def _change(
    view: View, path: PathLike, name: str | bytes, value: bytes | None, flags: int, *, follow: bool
) -> None:
    begin(view)
    try:
        if flags & ~(XATTR_CREATE | XATTR_REPLACE):
            fail(errno.EINVAL)
        text = _as_name(name)
        if value is not None and len(value) > MAX_VALUE:
            fail(errno.E2BIG)
        node = find_usable(view, path, follow=follow)
        if view._tree.read_only:
            fail(errno.EROFS)
        if value is not None and text == CAPABILITY:
            check_capability(value, view.caller)
        _check_permission(view, node, text, WRITE)
        if text.startswith("security.") and view.caller.uid and not (text == CAPABILITY and value == b""):
            fail(errno.EPERM)
        view._tree.setxattr(node, text, value, flags)
    except OSError as error:
        error.filename = path
        raise


def listxattr(view: View, path: PathLike = "/", /, *, follow_symlinks: bool = True) -> list[str]:
    """The names of the extended attributes that the caller may know of, sorted; E2BIG over 64 KiB of them."""
    try:
        found = view._tree.visible_xattrs(find_usable(view, path, follow=follow_symlinks))
        names = sorted(name for name in found if view.caller.uid == 0 or not name.startswith("trusted."))
        if sum(len(name.encode("utf-8", "surrogateescape")) + 1 for name in names) > MAX_LIST:
            fail(errno.E2BIG)
    except OSError as error:
        error.filename = path
        raise
    return names
