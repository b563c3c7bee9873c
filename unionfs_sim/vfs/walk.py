"""Path resolution as the kernel does it (Linux fs/namei.c): component by component.

Each directory on the way needs search permission; a symlink in the middle is followed, at the end only if
asked for or if slashes stand behind it; 40 links, 255 bytes a name, 4095 bytes a path.
"""

from __future__ import annotations

import errno
import os
from typing import Final, TypeAlias

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node
from unionfs_sim.nodes.kinds import DIRECTORY, EXECUTABLE, EXECUTE, SYMLINK, TYPE
from unionfs_sim.vfs import flags
from unionfs_sim.vfs.openfile import File
from unionfs_sim.vfs.permission import fail
from unionfs_sim.vfs.tree import Tree

MAX_LINKS: Final = 40
NAME_MAX: Final = 255
PATH_MAX: Final = 4096
MAX_KNOWN_PREFIXES: Final = 10_000

PathLike: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | File
"""A path; or an open file in its place, as ``os`` takes a descriptor, where a system call takes one."""


def as_text(path: PathLike) -> str:
    """The path as text, refused as os and the kernel refuse it: NUL, empty, too long."""
    if isinstance(path, File):
        raise TypeError("an open file cannot stand for a path here")
    plain = os.fspath(path)
    text = plain.decode("utf-8", "surrogateescape") if isinstance(plain, bytes) else plain
    if "\0" in text:
        raise ValueError("embedded null byte")
    if not text:
        fail(errno.ENOENT)
    if len(text) >= PATH_MAX // 4 and len(text.encode("utf-8", "surrogateescape")) >= PATH_MAX:
        fail(errno.ENAMETOOLONG)
    return text


def check_name(name: str) -> None:
    """Raise ENAMETOOLONG for a name over 255 bytes."""
    if len(name) > NAME_MAX // 4 and len(name.encode("utf-8", "surrogateescape")) > NAME_MAX:
        fail(errno.ENAMETOOLONG)


def _is_plain(head: str, name: str) -> bool:
    """Whether a path needs no further look at its form: short, a name at its end, no NUL in it."""
    return (
        name != "" and name[0] != "." and len(name) <= NAME_MAX // 4 and len(head) < 900 and "\0" not in name
    )


class View:
    """Where one caller stands in one tree: the state that every verb works on.

    ``_root``: where absolute paths start; ``_cwd``: where the others do. ``_known``: directories reached
    before, by path; what leads there cannot change unnoticed (``Tree.forget_paths``).
    """

    __slots__ = ("_cwd", "_followed", "_known", "_root", "_tree", "caller")

    def __init__(
        self, tree: Tree[Node, Node], caller: Caller, root: Node | None = None, cwd: Node | None = None
    ) -> None:
        self._tree = tree
        self.caller = caller
        self._root: Node = root if root is not None else tree.root
        self._cwd: Node = cwd if cwd is not None else self._root
        self._followed = 0
        self._known = tree.prefixes((caller, self._root, self._cwd))


Last: TypeAlias = tuple[Node, str, bool]
"""Where a walk stopped: a directory, the last name (not looked up yet), and whether slashes follow it.

The name is "" for the root, or ``.`` or ``..``. (A plain tuple, as one is made for every path.)
"""


def begin(view: View) -> None:
    """Something may change from here on: one step for undo."""
    if view._tree.is_watched:
        view._tree.begin()


def find(view: View, path: PathLike, *, follow: bool = True) -> Node:
    """The inode at ``path``; an open file stands for its inode, as ``os`` takes a descriptor."""
    # The fast way: a directory reached before, and a name in it. It must decide as _walk does.
    if isinstance(path, str):
        head, slash, name = path.rpartition("/")
        directory = view._known.get(head or slash)
        if directory is not None:
            node = directory.children.get(name)
            if node is None and _is_plain(head, name):
                node = view._tree.lookup(directory, name)
                if node is None:
                    fail(errno.ENOENT)
            if node is not None and not (follow and node.mode & TYPE == SYMLINK):
                return node
    elif isinstance(path, File):
        return path.changeable()
    directory, name, has_slashes = find_parent(view, path)
    if name and not has_slashes and name not in (".", ".."):
        node = view._tree.lookup(directory, name)
        if node is not None and not (follow and node.mode & TYPE == SYMLINK):
            return node
    return _walk(view, as_text(path), view._cwd, follow=follow)[0]


def find_usable(view: View, path: PathLike, *, follow: bool = True) -> Node:
    """As ``find``, for what cannot be done through a descriptor of O_PATH (EBADF)."""
    if isinstance(path, File) and path.flags & flags.PATH:
        fail(errno.EBADF)
    return find(view, path, follow=follow)


def find_directory(view: View, path: PathLike) -> Node:
    """The directory at ``path``; ENOTDIR if it is something else."""
    node = find(view, path)
    if not node.is_dir:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return node


def find_parent(view: View, path: PathLike) -> Last:
    """The directory that a path's last name is in, and that name."""
    if isinstance(path, str):
        head, slash, name = path.rpartition("/")
        directory = view._known.get(head or slash)
        if directory is not None and _is_plain(head, name):
            return directory, name, False
    text = as_text(path)
    followed = view._followed
    found = _walk(view, text, view._cwd, stops_before_last=True)
    # A way through a symlink is walked each time, for each time may move the link's access time.
    if found[1] and not found[2] and followed == view._followed:
        head, slash, name = text.rpartition("/")
        if len(view._known) >= MAX_KNOWN_PREFIXES:
            view._known.clear()
        view._known[head or slash] = found[0]
    return found


def find_target(view: View, link: Node, directory: Node, links: int) -> Last:
    """Where a symlink in ``directory`` leads; ``links``: how many were followed already."""
    view._tree.accessed(link)
    return _walk(view, view._tree.target(link), directory, stops_before_last=True, links=links)


def _walk(
    view: View,
    text: str,
    start: Node,
    *,
    follow: bool = True,
    stops_before_last: bool = False,
    links: int = 0,
) -> Last:
    """The walk itself: to what is at ``text`` (the name is then ""), or a step less far."""
    tree, caller = view._tree, view.caller
    node = view._root if text[0] == "/" else start
    names = [name for name in text.split("/") if name][::-1]
    has_slashes = text[-1] == "/"
    while names:
        name = names.pop()
        mode = node.mode
        if mode & TYPE != DIRECTORY:
            fail(errno.ENOTDIR)
        if mode & EXECUTABLE != EXECUTABLE and not node.permits(caller, EXECUTE):
            fail(errno.EACCES)
        if not names and stops_before_last:
            return node, name, has_slashes
        if name == ".":
            continue
        if name == "..":
            if node is not view._root:
                node = node.parent
            continue
        child = node.children.get(name)
        if child is None:
            check_name(name)
            child = tree.lookup(node, name)
            if child is None:
                fail(errno.ENOENT)
        if child.mode & TYPE == SYMLINK and (names or has_slashes or follow):
            links += 1
            if links > MAX_LINKS:
                fail(errno.ELOOP)
            target = tree.target(child)
            tree.accessed(child)
            view._followed += 1
            if not names:
                has_slashes = has_slashes or target[-1] == "/"
            if target[0] == "/":
                node = view._root
            names += [name for name in target.split("/") if name][::-1]
            continue
        node = child
    if has_slashes and node.mode & TYPE != DIRECTORY:
        fail(errno.ENOTDIR)
    return node, "", has_slashes
