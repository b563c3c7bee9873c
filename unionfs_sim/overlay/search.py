"""What one layer answers when a name is searched in it (ovl_lookup_single of fs/overlayfs/namei.c)."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import TypeAlias

from unionfs_sim.nodes.kinds import DIRECTORY, REGULAR, TYPE
from unionfs_sim.overlay import metacopy
from unionfs_sim.overlay.state import AnyNode, State
from unionfs_sim.vfs.permission import fail

Trail: TypeAlias = list[tuple[int, AnyNode | None, str]]
"""Every layer that was asked, what it answered (None: nothing), and the rule that applied."""


class Search:
    """The state of one search (struct ovl_lookup_data), and the rule that last mattered."""

    __slots__ = (
        "absolute_redirect",
        "is_dir",
        "last",
        "metacopy",
        "name",
        "opaque",
        "redirect",
        "rule",
        "stop",
        "upper_redirect",
        "xwhiteouts",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.redirect: str | None = None
        self.upper_redirect: str | None = None
        self.is_dir = self.opaque = self.stop = self.last = False
        self.metacopy = self.xwhiteouts = self.absolute_redirect = False
        self.rule = ""


def check_follow(union: State, search: Search) -> None:
    """Refuse a metacopy or a redirect that the mount options do not let us follow."""
    if search.metacopy and not union.options.metacopy:
        fail(errno.EPERM)
    if (search.redirect or search.upper_redirect) and not union.options.follows_redirects:
        fail(errno.EPERM)


def lookup_layer(
    union: State, layer: int, base: AnyNode, search: Search, trail: Trail | None
) -> AnyNode | None:
    """What one layer answers; an absolute redirect is walked from the layer's root (ovl_lookup_layer)."""
    search.rule = ""
    answer: AnyNode | None = None
    if search.name[0] != "/":
        answer = _single(union, layer, base, search, "", last_element=True)
    else:
        here = union.stack[layer].root if layer else base
        names = search.name[1:].split("/")
        for place, name in enumerate(names):
            rest = "".join("/" + later for later in names[place + 1 :])
            # Counted from the end, as a redirect on the way may have replaced what stands before.
            before = search.name[: len(search.name) - len(name) - len(rest)]
            answer = _single(
                union, layer, here, search, rest, last_element=not rest, name=name, before=before
            )
            if answer is None:
                break
            if rest and answer.mode & TYPE != DIRECTORY:
                answer = None
                break
            here = answer
    if trail is not None:
        trail.append((layer, answer, search.rule))
    return answer


def _single(
    union: State,
    layer: int,
    base: AnyNode,
    search: Search,
    rest: str,
    *,
    last_element: bool,
    name: str | None = None,
    before: str = "",
) -> AnyNode | None:
    """ovl_lookup_single: one name in one directory of one layer."""
    this = union.child_of(layer, base, search.name if name is None else name)
    if this is None:
        return None
    if union.is_whiteout(layer, this):
        search.stop = search.opaque = True
        search.rule = "whiteout"
        return None
    kind = this.mode & TYPE
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
    union: State, xattrs: Mapping[str, bytes], search: Search, rest: str, before: str
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
