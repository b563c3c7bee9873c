"""Why a path looks as it does: every layer that was asked, what each answered, and what stopped the search.

The search is told as overlayfs.rst tells it: from the top down, directories of one name merge, and a
whiteout, an opaque directory or anything that is no directory ends it. A redirect changes the path that the
layers below are asked for; below a metacopy the search goes on for the bytes.
"""

from __future__ import annotations

import enum
import errno
import os
from collections.abc import Mapping, Sequence
from typing import Protocol

from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.inode import NO_XATTRS, Inode, Node
from unionfs_sim.nodes.kinds import REGULAR, TYPE, WORDS
from unionfs_sim.nodes.record import Record
from unionfs_sim.overlay.options import Settings
from unionfs_sim.overlay.state import State
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.vfs.tree import Tree

DIRECTORY = "directory"


class Viewable(Protocol):
    """The operations on the inodes of a layer, or of a union."""

    def for_views(self) -> Tree[Node, Node]:
        """The same, whatever its inodes are."""
        ...


class LowerLayer(Protocol):
    """A layer, or a union that shows its merged view as one."""

    @property
    def tree(self) -> Viewable:
        """The operations on its inodes."""
        ...


class Explainable(Protocol):
    """What can be explained: a union, or its layers as somebody reads them."""

    @property
    def lowers(self) -> Sequence[LowerLayer]:
        """The lower layers, base first."""
        ...

    @property
    def upper(self) -> Layer | None:
        """The upper layer, if there is one."""
        ...

    @property
    def options(self) -> Settings:
        """How they are mounted."""
        ...

    @property
    def tree(self) -> object:
        """What the layers show together."""
        ...


class Says(enum.Enum):
    """What one layer says of a path."""

    ANSWERS = "answers"
    MERGED = "merged"
    DATA = "data"
    """Has the bytes of a file whose attributes a layer above answers (metacopy)."""
    SHADOWED = "shadowed"
    WHITEOUT = "whiteout"
    OPAQUE = "opaque"
    BLOCKED = "blocked"
    NOTHING = "nothing"


class Answer(Record):
    """One layer's word. ``layer``: 0 is the base. ``kind``: of what it holds at the path, "" if nothing.

    ``at``: where the layer cuts the search (a whiteout, an opaque directory or a file on the way), "" if
    it does not. ``asked`` is False for layers below the one that ended the search. ``place``: the path that
    it was asked for, where a redirect in a layer above changed it; else "".
    """

    layer: int
    name: str
    says: Says
    kind: str
    at: str
    asked: bool
    place: str = ""


class Explanation(Record):
    """The search for one path. ``answers``: top first; ``answered_by``: a layer's number, or None: ENOENT."""

    path: str
    answers: tuple[Answer, ...]
    answered_by: int | None
    rule: str

    @property
    def is_visible(self) -> bool:
        """Whether the merged view has the path."""
        return self.answered_by is not None

    @property
    def stopped_by(self) -> int | None:
        """The layer that ended the search, or None if it went down to the base."""
        asked = [answer for answer in self.answers if answer.asked]
        return asked[-1].layer if asked and _ends(asked[-1]) else None

    def __str__(self) -> str:
        lines = [f"{self.path}: {'visible' if self.is_visible else 'no such file (ENOENT)'}"]
        width = max((len(answer.name) for answer in self.answers), default=0)
        for answer in self.answers:
            mark = "→" if answer.asked else " "
            lines.append(f"  {mark} {answer.name:<{width}}  {_words(answer)}")
        return "\n".join([*lines, f"  {self.rule}"])


def explain(union: Explainable, path: str, names: Sequence[str] = ()) -> Explanation:
    """The search for ``path`` (absolute, no symlinks followed) in ``union``.

    ``names``: what to call the layers, base first (default: L0, L1, …, upper).

    >>> from unionfs_sim import WHITEOUT, Layer, layer, mount
    >>> union = mount([layer({"/etc/motd": "hello"}), layer({"/etc/motd": WHITEOUT})], Layer())
    >>> print(explain(union, "/etc/motd"))
    /etc/motd: no such file (ENOENT)
      → upper  nothing here
      → L1     whiteout
        L0     file, shadowed
      L1 has a whiteout at /etc/motd: the search ends there
    """
    found = explain_layers(union.lowers, union.upper, union.options, path, names)
    code = _refusal(union.tree, _names(path)) if isinstance(union.tree, State) else None
    if code is None:
        return found
    reason = _REASONS.get(code, os.strerror(code))
    rule = f"the search ends with {errno.errorcode[code]}: {reason}"
    return Explanation(found.path, found.answers, None, rule)


_REASONS = {
    errno.EPERM: "a redirect or a metacopy that this mount does not follow",
    errno.EIO: "a metacopy whose bytes are in no layer below",
    errno.ESTALE: "an upper that belongs to other lower layers",
    errno.EINVAL: "a redirect that is no path",
}


def _refusal(tree: State, names: Sequence[str]) -> int | None:
    """With which error, other than ENOENT and ENOTDIR, the union itself refuses a path."""
    node = tree.root
    try:
        for name in names:
            found = tree.lookup(node, name)
            if found is None or isinstance(found, Inode) or not found.is_dir:
                return None
            node = found
    except OSError as error:
        return error.errno
    return None


def explain_layers(
    lowers: Sequence[LowerLayer],
    upper: Layer | None,
    settings: Settings,
    path: str,
    names: Sequence[str] = (),
) -> Explanation:
    """The search for ``path`` in layers (base first), as ``explain`` tells it."""
    titles = [*names, *(f"L{number}" for number in range(len(names), len(lowers)))]
    top_first: list[tuple[int, str, LowerLayer]] = list(
        zip(range(len(lowers)), titles, lowers, strict=False)
    )[::-1]
    if upper is not None:
        top_first.insert(0, (len(lowers), "upper", upper))
    search = _Search(settings, upper, _names(path))
    for number, title, layer in top_first:
        search.ask(number, title, layer)
    search.heed_index()
    answers = tuple(search.answers)
    answering = next(
        (each for each in answers if each.says in (Says.ANSWERS, Says.OPAQUE) and each.kind), None
    )
    return Explanation(
        "/" + "/".join(_names(path)),
        answers,
        answering.layer if answering is not None else None,
        _rule(answers, answering, is_indexed=search.is_indexed),
    )


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name]


class _View(Record):
    """A layer alone. ``at``: the path that cuts the search, ``cut``: how; "" and NOTHING if it does not."""

    kind: str
    at: str
    cut: Says
    node: Node | None = None
    xattrs: Mapping[str, bytes] = NO_XATTRS


class _Search:
    """The search so far: what the next layer is asked for, and what those above it answered."""

    def __init__(self, settings: Settings, upper: Layer | None, names: list[str]) -> None:
        self.answers: list[Answer] = []
        self.is_indexed = False
        self._settings = settings
        self._upper = upper
        self._asked_first = names
        self._names = names
        self._has_ended = False
        self._found = ""
        self._needs_data = False
        self._lower: Node | None = None

    def ask(self, number: int, title: str, layer: LowerLayer) -> None:
        """What the next layer below answers."""
        place = "" if self._names == self._asked_first else "/" + "/".join(self._names)
        view = self._view(layer)
        self.answers.append(self._answer(number, title, view, place))

    def _answer(self, number: int, title: str, view: _View, place: str) -> Answer:
        if self._has_ended:
            says = Says.SHADOWED if view.kind else Says.NOTHING
            return Answer(number, title, says, view.kind, "", asked=False, place=place)
        if not view.kind:
            self._has_ended = view.cut is not Says.NOTHING
            return Answer(number, title, view.cut, "", view.at, asked=True, place=place)
        if self._needs_data:
            self._has_ended = not self._is_metacopy(view)
            says = Says.DATA if view.kind == "file" else Says.SHADOWED
            return Answer(number, title, says, view.kind, "", asked=True, place=place)
        if self._found and view.kind != DIRECTORY:
            # Below a directory only directories merge; a file there ends the search and stays hidden.
            self._has_ended = True
            return Answer(number, title, Says.SHADOWED, view.kind, "", asked=True, place=place)
        opens = view.cut is Says.OPAQUE
        says = Says.MERGED if self._found else Says.OPAQUE if opens and view.at.count("/") else Says.ANSWERS
        self._found = view.kind
        self._needs_data = self._is_metacopy(view)
        self._has_ended = opens or (view.kind != DIRECTORY and not self._needs_data)
        self._lower = view.node
        return Answer(number, title, says, view.kind, view.at, asked=True, place=place)

    def _is_metacopy(self, view: _View) -> bool:
        return view.kind == WORDS[REGULAR] and self._mark("metacopy") in view.xattrs

    def _mark(self, name: str) -> str:
        return self._settings.xattr_prefix + name

    def _view(self, layer: LowerLayer) -> _View:
        """What one layer has at the path; a redirect in it changes the path for those below."""
        tree = layer.tree.for_views()
        names = self._names
        opaque = self._mark("opaque")
        below: list[str] = []
        node = tree.root
        xattrs: Mapping[str, bytes] = NO_XATTRS  # marks on the root of a layer are ignored
        here = cut_at = ""
        for depth, name in enumerate(names):
            if xattrs.get(opaque) == b"y":
                cut_at = here
            found = _child(tree, node, name)
            here = f"{here}/{name}"
            below.append(name)
            if found is None:
                self._names = below + names[depth + 1 :]
                return _View("", cut_at, Says.OPAQUE if cut_at else Says.NOTHING)
            xattrs = tree.visible_xattrs(found)
            if self._is_whiteout(tree, found, xattrs):
                return _View("", here, Says.WHITEOUT)
            is_last = depth == len(names) - 1
            if not found.is_dir and not is_last:
                return _View("", here, Says.BLOCKED)
            node = found
            redirect = self._redirect(node, xattrs)
            if redirect.startswith("/"):
                below, cut_at = _names(redirect), ""  # leads out of any opaque directory on the way
            elif redirect:
                below[-1] = redirect
        if not self._has_ended:
            self._names = below
        if node.is_dir and xattrs.get(opaque) == b"y":
            return _View(DIRECTORY, here, Says.OPAQUE, node, xattrs)
        return _View(WORDS[node.mode & TYPE], cut_at, Says.OPAQUE if cut_at else Says.NOTHING, node, xattrs)

    def _redirect(self, node: Node, xattrs: Mapping[str, bytes]) -> str:
        """What the layers below call it: a name beside it or a path; "" if the same."""
        value = xattrs.get(self._mark("redirect"))
        if value is None or not self._settings.follows_redirects:
            return ""
        if not node.is_dir and self._mark("metacopy") not in xattrs:
            return ""
        return value.decode("utf-8", "surrogateescape")

    def _is_whiteout(self, tree: Tree[Node, Node], node: Node, xattrs: Mapping[str, bytes]) -> bool:
        if isinstance(node, Inode) and node.is_whiteout:
            return True
        is_marked = node.mode & TYPE == REGULAR and self._mark("whiteout") in xattrs
        return is_marked and tree.content(node).size == 0

    def heed_index(self) -> None:
        """A lower file of which another name was copied up is answered by the upper, through the index."""
        lower, upper = self._lower, self._upper
        if lower is None or upper is None or not self._settings.index:
            return
        work = upper.tree.work
        if self.answers[0].kind or not isinstance(work, WorkDir) or lower not in work.index:
            return
        self.is_indexed = True
        first = self.answers[0]
        kind = WORDS[work.index[lower].mode & TYPE]
        self.answers[0] = Answer(
            first.layer, first.name, Says.ANSWERS, kind, "", asked=True, place=first.place
        )
        for place, answer in enumerate(self.answers[1:], 1):
            if answer.says is Says.ANSWERS:
                self.answers[place] = Answer(
                    answer.layer, answer.name, Says.SHADOWED, answer.kind, "", asked=True, place=answer.place
                )


def _child(tree: Tree[Node, Node], node: Node, name: str) -> Node | None:
    """What a layer has by a name; nothing where a union below says that it cannot tell."""
    try:
        return tree.lookup(node, name) if node.is_dir else None
    except OSError:
        return None


def _rule(answers: Sequence[Answer], answering: Answer | None, *, is_indexed: bool) -> str:
    asked = [answer for answer in answers if answer.asked]
    last = asked[-1] if asked else None
    if answering is not None:
        if is_indexed:
            return (
                f"{answering.name} answers: another name of this file was copied up, and the index knows it"
            )
        data = next((answer.name for answer in answers if answer.says is Says.DATA), None)
        if data is not None:
            return f"{answering.name} answers with the attributes, {data} has the bytes (metacopy)"
        merged = [answer.name for answer in answers if answer.says is Says.MERGED]
        if merged:
            return f"{answering.name} answers; directories merge with {', '.join(merged)}"
        if last is not None and last.at:
            return f"{answering.name} answers, and is opaque at {last.at}: nothing below it is asked"
        return f"{answering.name} answers: it is the topmost layer that has it"
    if last is None or not _ends(last):
        return "no layer has it"
    cause = {
        Says.WHITEOUT: "a whiteout at",
        Says.OPAQUE: "an opaque directory at",
        Says.BLOCKED: "something that is no directory at",
    }[last.says]
    return f"{last.name} has {cause} {last.at}: the search ends there"


def _ends(answer: Answer) -> bool:
    return bool(answer.at) or (bool(answer.kind) and answer.kind != "directory")


def _words(answer: Answer) -> str:
    words = _own_words(answer)
    return f"{words} (asked for {answer.place})" if words and answer.place else words


def _own_words(answer: Answer) -> str:
    match answer.says:
        case Says.NOTHING:
            return "nothing here" if answer.asked else ""
        case Says.WHITEOUT:
            return "whiteout" if not answer.kind else f"whiteout of {answer.at}"
        case Says.BLOCKED:
            return f"{answer.at} is no directory here"
        case Says.OPAQUE:
            return f"{answer.kind or 'nothing here'}, opaque at {answer.at}"
        case _:
            return f"{answer.kind}, {answer.says.value}"
