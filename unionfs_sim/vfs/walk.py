"""Path resolution as the kernel does it (Linux fs/namei.c): component by component.

Each directory on the way needs search permission; a symlink in the middle is followed, at the end only if
asked for or if slashes stand behind it; 40 links, 255 bytes a name, 4095 bytes a path.
"""

from __future__ import annotations

import errno
import os
from typing import Any, Final, TypeAlias

from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Node
from unionfs_sim.vfs.permission import EXECUTE, fail, permits
from unionfs_sim.vfs.tree import Tree

MAX_LINKS: Final = 40
NAME_MAX: Final = 255
PATH_MAX: Final = 4096
MAX_KNOWN_PREFIXES: Final = 10_000

PathLike: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

SYMLINK: Final = 0o120000


def as_text(path: PathLike) -> str:
    """The path as text, refused as os and the kernel refuse it: NUL, empty, too long."""
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


class Walker:
    """Finds inodes by path, for one caller in one tree."""

    __slots__ = ("_cwd", "_followed", "_known", "_root", "_tree", "caller")

    def __init__(
        self, tree: Tree[Any], caller: Caller, root: Node | None = None, cwd: Node | None = None
    ) -> None:
        self._tree = tree
        self.caller = caller
        self._root: Any = root if root is not None else tree.root
        self._cwd: Any = cwd if cwd is not None else self._root
        # Directories already reached: what leads there cannot change unnoticed (Tree.forget_paths).
        self._followed = 0
        self._known = tree.prefixes((caller, self._root, self._cwd))

    def _begin(self) -> None:
        """Something may change from here on: one step for undo."""
        if self._tree.is_watched:
            self._tree.begin()

    def _find(self, path: PathLike, *, follow: bool = True) -> Any:
        """The inode at ``path``."""
        # The fast way: a directory reached before, and a name in it. It must decide as _resolve does.
        text: Any = path
        try:
            head, slash, name = text.rpartition("/")
            directory = self._known[head or slash]
        except (KeyError, TypeError, AttributeError):
            pass
        else:
            node = directory.children.get(name)
            if node is None and _is_plain(head, name):
                node = self._tree.lookup(directory, name)
                if node is None:
                    fail(errno.ENOENT)
            if node is not None and not (follow and node.mode & 0o170000 == SYMLINK):
                return node
        if hasattr(path, "node"):  # an open file in place of a path, as os takes a descriptor
            return text.changeable()
        directory, name, slashes = self._parent(path)
        if name and not slashes and name not in (".", ".."):
            node = self._tree.lookup(directory, name)
            if node is not None and not (follow and node.mode & 0o170000 == SYMLINK):
                return node
        return self._resolve(as_text(path), follow=follow)

    def _find_usable(self, path: PathLike, *, follow: bool = True) -> Any:
        """As ``_find``, for what cannot be done through a descriptor of O_PATH (EBADF)."""
        if getattr(path, "flags", 0) & os.O_PATH:
            fail(errno.EBADF)
        return self._find(path, follow=follow)

    def _parent(self, path: PathLike) -> tuple[Any, str, bool]:
        """(directory, last name, whether slashes follow it); the name is "" for the root, or . or .."""
        given: Any = path
        try:
            head, slash, name = given.rpartition("/")
            directory = self._known[head or slash]
            if _is_plain(head, name):
                return directory, name, False
        except (KeyError, TypeError, AttributeError):
            pass
        text = as_text(path)
        followed = self._followed
        found: tuple[Any, str, bool] = self._walk(text, self._cwd, stop_before_last=True)
        head, slash, name = text.rpartition("/")
        # A way through a symlink is walked each time, for each time may move the link's access time.
        if found[1] and not found[2] and followed == self._followed:
            if len(self._known) >= MAX_KNOWN_PREFIXES:
                self._known.clear()
            self._known[head or slash] = found[0]
        return found

    def _resolve(self, text: str, *, follow: bool, start: Any = None, links: int = 0) -> Any:
        found = self._walk(text, self._cwd if start is None else start, follow=follow, links=links)
        return found[0]

    def _walk(
        self, text: str, start: Any, *, follow: bool = True, stop_before_last: bool = False, links: int = 0
    ) -> tuple[Any, str, bool]:
        """The walk itself: (inode, "", slashes follow), or a step earlier (directory, name, slashes)."""
        tree, caller = self._tree, self.caller
        node = self._root if text[0] == "/" else start
        names = [name for name in text.split("/") if name][::-1]
        slashes = text[-1] == "/"
        while names:
            name = names.pop()
            if node.mode & 0o170000 != 0o040000:
                fail(errno.ENOTDIR)
            if node.mode & 0o111 != 0o111 and not permits(node, caller, EXECUTE):
                fail(errno.EACCES)
            if not names and stop_before_last:
                return node, name, slashes
            if name == ".":
                continue
            if name == "..":
                if node is not self._root:
                    node = node.parent
                continue
            child = node.children.get(name)
            if child is None:
                check_name(name)
                child = tree.lookup(node, name)
                if child is None:
                    fail(errno.ENOENT)
            if child.mode & 0o170000 == SYMLINK and (names or slashes or follow):
                links += 1
                if links > MAX_LINKS:
                    fail(errno.ELOOP)
                target = tree.target(child)
                tree.accessed(child)
                self._followed += 1
                if not names:
                    slashes = slashes or target[-1] == "/"
                if target[0] == "/":
                    node = self._root
                names += [name for name in target.split("/") if name][::-1]
                continue
            node = child
        if slashes and node.mode & 0o170000 != 0o040000:
            fail(errno.ENOTDIR)
        return node, "", slashes
