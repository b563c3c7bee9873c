"""The inode operations of a raw layer: they behave as tmpfs does.

A union calls the same operations on the layers below it, with its own clock and journal, so a tree is
changed in one place only.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.nodes.content import EMPTY, Buffer, Content
from unionfs_sim.nodes.inode import DEAD, NO_XATTRS, Inode, Volume
from unionfs_sim.nodes.journal import ABSENT, assign, put, splice
from unionfs_sim.nodes.kinds import DIRECTORY, REGULAR, SYMLINK, TYPE
from unionfs_sim.vfs.capability import CAPABILITY
from unionfs_sim.vfs.flags import RENAME_EXCHANGE, XATTR_CREATE, XATTR_REPLACE
from unionfs_sim.vfs.permission import fail, new_mode
from unionfs_sim.vfs.tree import Change, Dentry, Tree
from unionfs_sim.vfs.xattr import check_namespace

DAY_NS: Final = 86_400_000_000_000
LONG_SYMLINK: Final = 128


class LayerTree(Tree[Inode, Inode]):
    """The tree of one layer."""

    def __init__(self, clock: Clock, volume: Volume) -> None:
        super().__init__(clock)
        self.volume = volume
        self.work: object = None  # the workdir, once it was an upper
        self.root = Inode(volume.next_ino(), DIRECTORY | 0o755, 0, 0, now_ns=clock())
        self.root.parent = self.root

    # -- the two changes of a directory

    def attach(self, directory: Inode, name: str, inode: Inode) -> None:
        """Let ``name`` be ``inode``; the directory's times move."""
        now = self.clock()
        journal = self.journal
        put(journal, directory.children, name, inode)
        if inode.mode & TYPE == DIRECTORY:
            assign(journal, inode, "parent", directory)
            assign(journal, directory, "nlink", directory.nlink + 1)
            if journal is not None:
                self.forget_paths()  # once this is undone, no path leads there
        assign(journal, directory, "mtime_ns", now)
        assign(journal, directory, "ctime_ns", now)

    def detach(self, directory: Inode, name: str, inode: Inode) -> None:
        """Take ``name`` away; ``inode`` keeps its link count, as it may be on its way elsewhere."""
        now = self.clock()
        journal = self.journal
        put(journal, directory.children, name, ABSENT)
        if inode.mode & TYPE == DIRECTORY:
            assign(journal, directory, "nlink", directory.nlink - 1)
            self.forget_paths()
        assign(journal, directory, "mtime_ns", now)
        assign(journal, directory, "ctime_ns", now)

    def exchange(self, directory: Inode, name: str, inode: Inode) -> None:
        """Let ``name`` be another directory; its place among the names stays."""
        put(self.journal, directory.children, name, inode)
        assign(self.journal, inode, "parent", directory)
        self.forget_paths()
        self.touch(directory)

    def touch(self, inode: Inode) -> None:
        """Move mtime and ctime to now."""
        now = self.clock()
        assign(self.journal, inode, "mtime_ns", now)
        assign(self.journal, inode, "ctime_ns", now)

    def drop(self, inode: Inode) -> None:
        """One name less."""
        journal = self.journal
        if inode.mode & TYPE == DIRECTORY:
            assign(journal, inode, "nlink", 0)
            assign(journal, inode, "children", DEAD)
        else:
            assign(journal, inode, "nlink", inode.nlink - 1)
        assign(journal, inode, "ctime_ns", self.clock())

    def new(self, mode: int, uid: int, gid: int, body: Content | str | int | None = None) -> Inode:
        """An inode without a name."""
        if body is None and mode & TYPE == REGULAR:
            body = EMPTY
        now = self.clock()
        return Inode(self.volume.next_ino(), mode, uid, gid, now_ns=now, body=body)

    # -- the operations

    def lookup(self, directory: Inode, name: str) -> Inode | None:
        """The inode that ``name`` is, or None."""
        return directory.children.get(name)

    def entries(self, directory: Inode) -> list[str]:
        """The names in a directory."""
        return list(directory.children)

    def typed_entries(self, directory: Inode) -> list[tuple[str, bool]]:
        """The names in a directory, and whether each is a directory."""
        return [(name, child.mode & TYPE == DIRECTORY) for name, child in directory.children.items()]

    def stat(self, node: Inode) -> Stat:
        """The attributes, as a stat call tells them."""
        body = node.body
        size = blocks = rdev = 0
        if isinstance(body, Content):
            size, blocks = body.size, body.blocks
        elif isinstance(body, int):
            rdev = body
        else:
            size = node.size
            blocks = 8 if node.mode & TYPE == SYMLINK and size >= LONG_SYMLINK else 0
        return Stat(
            node.mode,
            node.ino,
            self.volume.dev,
            node.nlink,
            node.uid,
            node.gid,
            size,
            node.atime_ns,
            node.mtime_ns,
            node.ctime_ns,
            rdev,
            blocks,
        )

    def make(
        self, directory: Inode, name: str, mode: int, caller: Caller, body: Content | str | int | None
    ) -> Inode:
        """Make a file of any type."""
        mode, gid = new_mode(directory, caller, mode)
        inode = self.new(mode, caller.uid, gid, body)
        self.attach(directory, name, inode)
        return inode

    def make_unnamed(self, directory: Inode, mode: int, caller: Caller) -> Inode:
        """Make a regular file without a name (O_TMPFILE)."""
        mode, gid = new_mode(directory, caller, mode)
        inode = self.new(mode, caller.uid, gid)
        inode.nlink = 0
        return inode

    def link(self, node: Inode, directory: Inode, name: str) -> None:
        """Give ``node`` another name."""
        assign(self.journal, node, "nlink", node.nlink + 1)
        assign(self.journal, node, "ctime_ns", self.clock())
        self.attach(directory, name, node)

    def unlink(self, directory: Inode, name: str, node: Inode) -> None:
        """Take a name away that is not a directory."""
        self.detach(directory, name, node)
        self.drop(node)

    def rmdir(self, directory: Inode, name: str, node: Inode) -> None:
        """Take an empty directory away; ENOTEMPTY if it is not."""
        if node.children:
            fail(errno.ENOTEMPTY)
        self.detach(directory, name, node)
        self.drop(node)

    def rename(self, source: Dentry[Inode, Inode], destination: Dentry[Inode, Inode], flags: int) -> None:
        """Move a name onto another, or exchange them; a whiteout left behind is made by who asks for it."""
        old_directory, old_name, node = source
        new_directory, new_name, other = destination
        assert node is not None
        if flags & RENAME_EXCHANGE and other is not None:
            self.detach(old_directory, old_name, node)
            self.detach(new_directory, new_name, other)
            self.attach(old_directory, old_name, other)
            self.attach(new_directory, new_name, node)
            assign(self.journal, other, "ctime_ns", self.clock())
        else:
            if other is not None:
                if other.children:
                    fail(errno.ENOTEMPTY)
                self.detach(new_directory, new_name, other)
                self.drop(other)
            self.detach(old_directory, old_name, node)
            self.attach(new_directory, new_name, node)
        assign(self.journal, node, "ctime_ns", self.clock())

    def change(self, node: Inode, change: Change) -> None:
        """Set attributes."""
        journal = self.journal
        now = self.clock()
        mode, uid, gid, atime_ns, mtime_ns, size, dropped, is_modification = change
        if size is not None:
            content = node.content
            # tmpfs cuts the pages behind the end, and says so in the time, even if there are none.
            if is_modification or size != content.size or content.blocks:
                assign(journal, node, "mtime_ns", now)
            self.resize(node, size)
        changes_hands = dropped or uid is not None or gid is not None or size is not None
        if node.xattrs and changes_hands and node.mode & TYPE != DIRECTORY and node.xattrs.get(CAPABILITY):
            self.store_xattr(node, CAPABILITY, None)
        if mode is None and dropped:
            mode = node.mode & ~dropped
        if mode is not None:
            assign(journal, node, "mode", mode)
        if uid is not None:
            assign(journal, node, "uid", uid)
        if gid is not None:
            assign(journal, node, "gid", gid)
        if atime_ns is not None:
            assign(journal, node, "atime_ns", atime_ns)
        if mtime_ns is not None:
            assign(journal, node, "mtime_ns", mtime_ns)
        assign(journal, node, "ctime_ns", now)
        if node.mode & TYPE == DIRECTORY:
            self.forget_paths()

    def before_open(self, node: Inode, *, writing: bool, truncating: bool) -> None:
        """Nothing to do: the layer is written in place."""

    def real(self, node: Inode) -> Inode:
        """The inode that has the bytes: itself."""
        return node

    def content(self, node: Inode) -> Content:
        """The bytes of a regular file, now."""
        return node.content

    def _buffer(self, node: Inode) -> Buffer:
        body = node.body
        if isinstance(body, Buffer):
            return body
        buffer = Buffer(node.content)
        assign(self.journal, node, "body", buffer)
        return buffer

    def resize(self, node: Inode, size: int) -> None:
        """Cut or extend the bytes of a file."""
        if size == 0:
            assign(self.journal, node, "body", EMPTY)
        elif size != node.content.size:
            splice(self.journal, self._buffer(node), size, (b"", size))

    def write(self, node: Inode, offset: int, piece: bytes) -> None:
        """Write bytes of a regular file; its capabilities go."""
        if node.xattrs and node.xattrs.get(CAPABILITY):
            self.store_xattr(node, CAPABILITY, None)
        body = node.body
        if offset == 0 and body is EMPTY:
            assign(self.journal, node, "body", Content(piece))  # most files are written once, whole
        else:
            buffer = self._buffer(node)
            splice(self.journal, buffer, offset, (piece, max(buffer.size, offset + len(piece))))
        self.touch(node)

    def target(self, node: Inode) -> str:
        """Where a symlink points."""
        return node.target

    def accessed(self, node: Inode) -> None:
        """The access time moves if it is not later than the last change, or a day old (relatime)."""
        if self.read_only:
            return
        atime = node.atime_ns
        if atime <= node.mtime_ns or atime <= node.ctime_ns or self.clock() - atime >= DAY_NS:
            assign(None, node, "atime_ns", self.clock())  # to look is not a step that one takes back

    def listed(self, directory: Inode) -> None:
        """The access time moves as that of a file."""
        self.accessed(directory)

    def getxattr(self, node: Inode, name: str) -> bytes | None:
        """An extended attribute, or None."""
        check_namespace(name)
        return node.xattrs.get(name)

    def setxattr(self, node: Inode, name: str, value: bytes | None, flags: int) -> None:
        """Set or remove an extended attribute."""
        check_namespace(name)
        present = name in node.xattrs
        if flags & XATTR_CREATE and present:
            fail(errno.EEXIST)
        if flags & XATTR_REPLACE and not present:
            fail(errno.ENODATA)
        self.store_xattr(node, name, value)

    def note_xattr(self, node: Inode, name: str, value: bytes | None) -> None:
        """Set or remove a mark while somebody only looks: no step that can be taken back."""
        kept = {known: old for known, old in node.xattrs.items() if known != name}
        if value is not None:
            kept[name] = value
        assign(None, node, "xattrs", kept or NO_XATTRS)

    def store_xattr(self, node: Inode, name: str, value: bytes | None) -> None:
        """Set or remove an extended attribute without a check of its name."""
        now = self.clock()
        kept = dict(node.xattrs)
        if value is None:
            kept.pop(name, None)
        else:
            kept[name] = value
        assign(self.journal, node, "xattrs", kept or NO_XATTRS)
        assign(self.journal, node, "ctime_ns", now)

    def visible_xattrs(self, node: Inode) -> Mapping[str, bytes]:
        """All extended attributes."""
        return node.xattrs
