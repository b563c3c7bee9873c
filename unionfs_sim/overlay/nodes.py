"""The union's node for an answered search: which names share one, and what it knows (ovl_get_inode)."""

from __future__ import annotations

import errno

from unionfs_sim.nodes.inode import DEAD, Inode
from unionfs_sim.overlay import index, metacopy
from unionfs_sim.overlay.search import Search, check_follow
from unionfs_sim.overlay.state import (
    ALIASED,
    CONST_INO,
    IMPURE,
    INDEXED,
    METACOPY,
    OPAQUE,
    SPLIT,
    WHITEOUTS,
    XWHITEOUTS,
    Alias,
    AnyNode,
    Part,
    State,
    UnionNode,
)
from unionfs_sim.vfs.permission import fail


class UpperAnswer:
    """What the upper's answer was like, and where the bytes of the file lie."""

    __slots__ = ("data", "metacopy", "opaque", "redirect")

    def __init__(
        self, *, opaque: bool, metacopy: bool, redirect: str | None, data: AnyNode | str | None
    ) -> None:
        self.opaque = opaque
        self.metacopy = metacopy
        self.redirect = redirect
        self.data = data


def node_of(
    union: State,
    directory: UnionNode,
    name: str,
    upper: Inode | None,
    parts: tuple[Part, ...],
    search: Search,
    about: UpperAnswer,
) -> AnyNode | None:
    """The node of an answered search (ovl_get_inode): shared where names share an inode."""
    indexed = None
    if parts and union.options.index and not search.is_dir:
        indexed = index.lookup(union, parts[0].inode)
        if upper is None and indexed is not None:
            upper = indexed
            redirect = upper.xattrs.get(union.xattr_redirect)
            if redirect is not None:
                about.redirect = search.upper_redirect = redirect.decode("utf-8", "surrogateescape")
            search.metacopy = metacopy.is_marked(upper.xattrs, union.xattr_metacopy)
            check_follow(union, search)
            about.metacopy = metacopy.is_marked(upper.xattrs, union.xattr_metacopy)
    if upper is None and not parts:
        union.note_absent(directory, name)
        return None
    if upper is not None and not parts and not search.is_dir:
        return upper
    key = _shared_key(union, upper, parts, indexed, search)
    if search.redirect is not None and not union.has_redirects:
        union.has_redirects = True
        _share_known(union)
    node = union.shared.get(key) if key is not None else None
    if node is not None and search.is_dir:
        _verify_dir(node, upper, parts)
        node = None
    if node is None:
        node = UnionNode(upper, parts, directory, name)
        _set_flags(union, node, search, about, indexed)
        if key is not None:
            union.shared[key] = node
            if not search.is_dir:
                node.flags |= ALIASED
    if key is None or search.is_dir:
        directory.children[name] = node
    else:
        return by_name(node, directory, name)
    return node


def by_name(node: UnionNode, directory: UnionNode, name: str) -> UnionNode:
    """A node with several names, reached by this one."""
    if directory.aliases is None:
        directory.aliases = {}
    alias = directory.aliases[name] = Alias(node, directory, name)
    if node.times is None and node.flags & SPLIT and node.upper is not None:
        # Only now does the kernel make the other inode of a file that it cannot recognise.
        node.mode, node.uid, node.gid = node.upper.mode, node.upper.uid, node.upper.gid
        node.remember_times()
    return alias.use()


def _verify_dir(known: UnionNode, upper: Inode | None, parts: tuple[Part, ...]) -> None:
    """ESTALE for a directory whose lower part is shown elsewhere, over another upper (ovl_verify_inode)."""
    if known.children is DEAD:
        return
    if known.upper is not None and (not parts or known.upper is not upper):
        fail(errno.ESTALE)


def _share_known(union: State) -> None:
    """With redirects, names far apart can be one file: know all nodes by their inodes from now on."""
    todo = [union.root]
    while todo:
        directory = todo.pop()
        for name, node in list(directory.children.items()):
            if not isinstance(node, UnionNode) or not node.lowers:
                continue
            key = node.lowers[0].inode if node.flags & CONST_INO else node.upper
            if key is not None:
                union.shared.setdefault(key, node)
            if node.is_dir:
                todo.append(node)
            else:
                node.flags |= ALIASED
                by_name(node, directory, name)
                del directory.children[name]


def _shared_key(
    union: State, upper: Inode | None, parts: tuple[Part, ...], indexed: Inode | None, search: Search
) -> AnyNode | None:
    """By what the kernel hashes an inode (ovl_get_inode); None where only one name can lead to it."""
    if search.is_dir:
        return parts[0].inode if parts and union.has_redirects else None
    if not parts:
        return upper
    lower = parts[0].inode
    has_siblings = union.inode_nlink(parts[0]) > 1
    if _is_hashed_by_lower(union, upper, indexed, has_siblings=has_siblings):
        known = has_siblings or union.has_redirects or lower in union.shared
        return lower if known or (upper is not None and upper.nlink > 1) else None
    if upper is None:
        return None
    return upper if upper.nlink > 1 or upper in union.shared else None


def _is_hashed_by_lower(
    union: State, upper: Inode | None, indexed: Inode | None, *, has_siblings: bool
) -> bool:
    """Not if copy-up breaks, or has broken, the tie to a lower hard link (ovl_hash_bylower)."""
    if indexed is not None or union.upper is None:
        return True
    return not (has_siblings and (upper is not None or not union.options.index))


def _set_flags(
    union: State, node: UnionNode, search: Search, about: UpperAnswer, indexed: Inode | None
) -> None:
    flags = 0
    if about.opaque:
        flags |= OPAQUE
    if about.metacopy:
        flags |= METACOPY
    if search.xwhiteouts:
        flags |= XWHITEOUTS
    if node.is_dir:
        real_xattrs = union.xattrs_in(*node.real_part)
        if len(node.lowers) + (node.upper is not None) > 1 or union.xattr_origin in real_xattrs:
            flags |= WHITEOUTS
        if node.upper is not None and union.xattr_impure in node.upper.xattrs:
            flags |= IMPURE
    else:
        node.data = about.data if about.data is not node.real else None
        if node.upper is not None and not about.metacopy:
            node.data = None
        if indexed is not None:
            flags |= INDEXED
            node.nlink = index.nlink(union, node)
    if node.lowers and (
        node.is_dir
        or _is_hashed_by_lower(union, node.upper, indexed, has_siblings=union.inode_nlink(node.lowers[0]) > 1)
    ):
        flags |= CONST_INO
    node.flags = flags
    if node.upper is not None:
        node.redirect = about.redirect
