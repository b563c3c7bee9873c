"""Which layers answer for a name: the search of overlayfs, from the upper down (fs/overlayfs/namei.c).

A whiteout or an opaque directory stops it; so does a file, unless it is a metacopy whose bytes lie below;
directories merge until one of them is opaque. A redirect attribute changes the name for the layers below.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unionfs_sim.events import LookedUp
from unionfs_sim.inode import DEAD, Inode
from unionfs_sim.overlay import index, metacopy
from unionfs_sim.overlay.node import (
    ALIASED,
    CONST_INO,
    IMPURE,
    INDEXED,
    METACOPY,
    OPAQUE,
    WHITEOUTS,
    XWHITEOUTS,
    Alias,
    AnyNode,
    Part,
    UnionNode,
)
from unionfs_sim.permission import fail

if TYPE_CHECKING:
    from unionfs_sim.overlay.union import UnionTree

DIRECTORY = 0o040000
REGULAR = 0o100000


@dataclass(slots=True)
class Search:
    """The state of one search (struct ovl_lookup_data), and the rule that last mattered."""

    name: str
    redirect: str | None = None
    is_dir: bool = False
    opaque: bool = False
    stop: bool = False
    last: bool = False
    metacopy: bool = False
    xwhiteouts: bool = False
    absolute_redirect: bool = False
    upper_redirect: str | None = None
    rule: str = ""


def is_whiteout(union: UnionTree, layer: int, inode: Any) -> bool:
    """Whether a layer's inode says "deleted": a device 0:0, or an empty file with the whiteout attribute."""
    if inode.is_whiteout:
        return True
    return (
        inode.mode & 0o170000 == REGULAR
        and bool(inode.xattrs)
        and union.xattr_whiteout in union.xattrs_in(layer, inode)
        and inode.content.size == 0
    )


def child_of(union: UnionTree, layer: int, directory: Any, name: str) -> Any:
    """What a layer has by that name, or None."""
    child = directory.children.get(name)
    if child is None and union.stack[layer].is_union:
        child = union.stack[layer].lookup(directory, name)
    return child


def lookup(union: UnionTree, directory: UnionNode, name: str) -> AnyNode | None:
    """The union's node for a name that is not known yet; remembered in ``directory.children``."""
    upper = directory.upper
    lowers = directory.lowers
    if directory.aliases is not None and name in directory.aliases:
        return directory.aliases[name].use()
    if upper is not None:
        found = upper.children.get(name)
        if found is not None and found in union.shared:
            return by_name(union.shared[found], directory, name)
        if found is not None and found.mode & 0o170000 != DIRECTORY and not found.xattrs and not found.is_whiteout:
            return found  # lies in the upper alone: the commonest answer needs no search
        if found is None and not lowers:
            return None
    if not union.events.listeners:
        return _search(union, directory, name, None)
    trail: list[tuple[int, Any, str]] = []
    answer = _search(union, directory, name, trail)
    asked = tuple(layer for layer, _, _ in trail)
    found_in = tuple(layer for layer, inode, _ in trail if inode is not None)
    union.events.tell(LookedUp(union.path_of(directory, name), asked, found_in))
    return answer


def _search(
    union: UnionTree, directory: UnionNode, name: str, trail: list[tuple[int, Any, str]] | None
) -> AnyNode | None:
    """ovl_lookup; ``trail`` is told every layer that was asked, its answer and the rule that applied."""
    search = Search(name)
    lowers = directory.lowers
    roots = union.root.lowers
    stack: tuple[Part, ...] = lowers
    upper: Inode | None = None
    upper_metacopy = upper_opaque = False
    origin: Part | None = None
    looks_for_redirects = union.options.follows_redirects or bool(union.data_layers)
    search.last = not looks_for_redirects and not lowers
    if directory.upper is not None:
        upper = lookup_layer(union, 0, directory.upper, search, trail)
        if upper is not None and not search.is_dir:
            origin = index.origin_of(union, upper)
            upper_metacopy = search.metacopy
        if search.redirect is not None:
            search.upper_redirect = search.redirect
            if search.redirect[0] == "/":
                stack = roots
        upper_opaque = search.opaque
    parts: list[Part] = []
    data: Any = None
    place, count = 0, len(stack)
    while not search.stop and place < count:
        part = stack[place]
        _check_follow(union, search)
        if not looks_for_redirects:
            search.last = place == count - 1
        elif search.is_dir or not union.data_layers:
            search.last = part.layer == union.last_layer
        this = lookup_layer(union, part.layer, part.inode, search, trail)
        place += 1
        if this is None:
            continue
        if upper is not None and not parts and search.is_dir:
            index.fix_origin(union, directory, upper, Part(part.layer, this))
        if upper is not None and not parts and not search.is_dir and union.options.index and origin is not None:
            if this is not origin.inode:
                fail(errno.ESTALE)
        if search.metacopy and parts:
            pass  # of the metacopies on the way only the topmost counts
        else:
            parts.append(Part(part.layer, this))
        if not search.is_dir:
            data = this
        if search.stop:
            break
        if search.redirect is not None and search.redirect[0] == "/" and stack is not roots:
            stack = roots
            count = len(roots)
            place = part.layer
    if search.metacopy and parts and union.data_layers and search.absolute_redirect:
        data = search.redirect
        search.metacopy = False
    else:
        _check_follow(union, search)
    if search.metacopy or (upper_metacopy and not parts):
        fail(errno.EIO)  # a metacopy without the file that has its bytes
    if upper is not None and not search.is_dir and not parts and origin is not None:
        parts.append(origin)
    return _node(
        union, directory, name, upper, tuple(parts), search,
        _Upper(upper_opaque, upper_metacopy, search.upper_redirect, data),
    )


def _check_follow(union: UnionTree, search: Search) -> None:
    """Refuse a metacopy or a redirect that the mount options do not let us follow."""
    if search.metacopy and not union.options.metacopy:
        fail(errno.EPERM)
    if (search.redirect or search.upper_redirect) and not union.options.follows_redirects:
        fail(errno.EPERM)


@dataclass(slots=True)
class _Upper:
    """What the upper's answer was like."""

    opaque: bool
    metacopy: bool
    redirect: str | None
    data: Any


def _node(
    union: UnionTree, directory: UnionNode, name: str, upper: Inode | None, parts: tuple[Part, ...],
    search: Search, about: _Upper,
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
            _check_follow(union, search)
            about.metacopy = metacopy.is_marked(upper.xattrs, union.xattr_metacopy)
    if upper is None and not parts:
        directory.children[name] = None
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
    if node.times is None:
        node.remember_times()
    return alias.use()


def _verify_dir(known: UnionNode, upper: Inode | None, parts: tuple[Part, ...]) -> None:
    """ESTALE for a directory whose lower part is shown elsewhere, over another upper (ovl_verify_inode)."""
    if known.children is DEAD:
        return
    if not parts or known.upper is not upper:
        if known.upper is not None:
            fail(errno.ESTALE)


def _share_known(union: UnionTree) -> None:
    """With redirects, names far apart can be one file: know all nodes by their inodes from now on."""
    todo: list[Any] = [union.root]
    while todo:
        directory = todo.pop()
        for name, node in list(directory.children.items()):
            if not isinstance(node, UnionNode) or not node.lowers:
                continue
            union.shared.setdefault(node.lowers[0].inode if node.flags & CONST_INO else node.upper, node)
            if node.is_dir:
                todo.append(node)
            else:
                node.flags |= ALIASED
                by_name(node, directory, name)
                del directory.children[name]


def _shared_key(
    union: UnionTree, upper: Inode | None, parts: tuple[Part, ...], indexed: Inode | None, search: Search
) -> Any:
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
    union: UnionTree, upper: Inode | None, indexed: Inode | None, *, has_siblings: bool
) -> bool:
    """Not if copy-up breaks, or has broken, the tie to a lower hard link (ovl_hash_bylower)."""
    if indexed is not None or union.upper is None:
        return True
    return not (has_siblings and (upper is not None or not union.options.index))


def _set_flags(
    union: UnionTree, node: UnionNode, search: Search, about: _Upper, indexed: Inode | None
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
        or _is_hashed_by_lower(
            union, node.upper, indexed, has_siblings=union.inode_nlink(node.lowers[0]) > 1
        )
    ):
        flags |= CONST_INO
    node.flags = flags
    if node.upper is not None:
        node.redirect = about.redirect


def lookup_layer(
    union: UnionTree, layer: int, base: Any, search: Search, trail: list[tuple[int, Any, str]] | None
) -> Any:
    """What one layer answers; an absolute redirect is walked from the layer's root (ovl_lookup_layer)."""
    search.rule = ""
    if search.name[0] != "/":
        answer = _single(union, layer, base, search, "", last_element=True)
    else:
        answer = union.layer_root(layer) if layer else base
        names = search.name[1:].split("/")
        for place, name in enumerate(names):
            rest = "".join("/" + later for later in names[place + 1 :])
            before = "".join("/" + earlier for earlier in names[:place]) + "/"
            whole = search.name
            answer = _single(union, layer, answer, search, rest, last_element=not rest, name=name, before=before)
            if answer is None or (rest and answer.mode & 0o170000 != DIRECTORY):
                answer = None
                break
            if search.name is not whole:
                # A redirect on the way replaced the path; the names behind it stay the same.
                continue
    if trail is not None:
        trail.append((layer, answer, search.rule))
    return answer


def _single(
    union: UnionTree, layer: int, base: Any, search: Search, rest: str, *,
    last_element: bool, name: str | None = None, before: str = "",
) -> Any:
    """ovl_lookup_single: one name in one directory of one layer."""
    this = child_of(union, layer, base, search.name if name is None else name)
    if this is None:
        return None
    if is_whiteout(union, layer, this):
        search.stop = search.opaque = True
        search.rule = "whiteout"
        return None
    kind = this.mode & 0o170000
    if last_element and search.metacopy and kind != REGULAR:
        search.stop = True
        search.rule = "a metacopy continues in regular files only"
        return None
    if kind != DIRECTORY:
        if search.is_dir or not last_element:
            search.stop = True
            search.rule = "a file below a directory ends the merge"
            return None
        search.metacopy = (
            kind == REGULAR
            and bool(this.xattrs)
            and metacopy.is_marked(union.xattrs_in(layer, this), union.xattr_metacopy)
        )
        search.stop = not search.metacopy
        search.rule = "" if search.metacopy else "file"
        if not search.metacopy or search.last:
            return this
    else:
        if last_element:
            search.is_dir = True
        if search.last:
            return this
        if not this.xattrs:
            search.absolute_redirect = False
            return this
        opaque = union.xattrs_in(layer, this).get(union.xattr_opaque)
        if opaque == b"y":
            search.stop = True
            search.rule = "opaque"
            if last_element:
                search.opaque = True
            return this
        if opaque == b"x" and last_element and layer:
            search.xwhiteouts = True
            union.xwhiteout_layers.add(layer)
    _check_redirect(union, union.xattrs_in(layer, this), search, rest, before)
    return this


def _check_redirect(
    union: UnionTree, xattrs: Mapping[str, bytes], search: Search, rest: str, before: str
) -> None:
    search.absolute_redirect = False
    value = xattrs.get(union.xattr_redirect)
    if value is None:
        return
    text = value.decode("utf-8", "surrogateescape")
    if text.startswith("/"):
        if "//" in text or text == "/":
            fail(errno.EINVAL)
        search.absolute_redirect = True
        # A directory on the way may have been opaque; the path behind it leads elsewhere.
        search.stop = False
        search.redirect = text + rest
    else:
        if not text or "/" in text:
            fail(errno.EINVAL)
        search.redirect = before + text + rest
    search.name = search.redirect
    search.rule = f"redirect to {search.redirect}"
