"""Why a path looks as it does: every layer that was asked, what each answered, and what stopped the search.

The search is told as overlayfs.rst tells it: from the top down, directories of one name merge, and a
whiteout, an opaque directory or anything that is no directory ends it.
"""

from __future__ import annotations

import enum
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.markers import is_whiteout
from unionfs_sim.nodes.inode import Inode

if TYPE_CHECKING:
    from unionfs_sim.overlay.options import Options


class Explainable(Protocol):
    """What can be explained: a union, or its layers as somebody reads them."""

    @property
    def lowers(self) -> Sequence[Any]:
        """The lower layers, base first."""
        ...

    @property
    def upper(self) -> Layer | None:
        """The upper layer, if there is one."""
        ...

    @property
    def options(self) -> Options:
        """How they are mounted, for the namespace of the marks."""
        ...


class Says(enum.Enum):
    """What one layer says of a path."""

    ANSWERS = "answers"
    MERGED = "merged"
    SHADOWED = "shadowed"
    WHITEOUT = "whiteout"
    OPAQUE = "opaque"
    BLOCKED = "blocked"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Answer:
    """One layer's word. ``layer``: 0 is the base. ``kind``: of what it holds at the path, "" if nothing.

    ``at``: where the layer cuts the search (a whiteout, an opaque directory or a file on the way), "" if
    it does not. ``asked`` is False for layers below the one that ended the search.
    """

    layer: int
    name: str
    says: Says
    kind: str
    at: str
    asked: bool


@dataclass(frozen=True, slots=True)
class Explanation:
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
    layers: list[Any] = [*union.lowers] + ([union.upper] if union.upper is not None else [])
    titles = [*names, *(f"L{number}" for number in range(len(names), len(union.lowers)))]
    titles += ["upper"] if union.upper is not None else []
    parts = [part for part in path.split("/") if part]
    opaque = union.options.xattr_prefix + "opaque"
    views = [_view(layer, parts, opaque) for layer in layers]
    answers = tuple(_search(list(zip(range(len(layers)), titles, views, strict=True))[::-1]))
    answering = next(
        (each for each in answers if each.says in (Says.ANSWERS, Says.OPAQUE) and each.kind), None
    )
    return Explanation(
        "/" + "/".join(parts),
        answers,
        answering.layer if answering is not None else None,
        _rule(answers, answering),
    )


@dataclass(frozen=True, slots=True)
class _View:
    """A layer alone. ``at``: the path that cuts the search, ``cut``: how; "" and NOTHING if it does not."""

    kind: str
    at: str
    cut: Says


def _view(layer: Any, parts: Sequence[str], opaque: str) -> _View:
    if not isinstance(layer, Layer):
        return _union_view(layer, "/" + "/".join(parts))
    inode: Inode | None = layer.root
    here, cut_at = "", ""
    for depth, part in enumerate(parts):
        assert inode is not None
        if opaque in inode.xattrs and inode.xattrs[opaque] == b"y" and depth:
            cut_at = here
        inode = inode.children.get(part)
        here = f"{here}/{part}"
        if inode is None:
            return _View("", cut_at, Says.OPAQUE if cut_at else Says.NOTHING)
        if is_whiteout(inode):
            return _View("", here, Says.WHITEOUT)
        if not inode.is_dir and depth < len(parts) - 1:
            return _View("", here, Says.BLOCKED)
    assert inode is not None
    if inode.is_dir and inode.xattrs.get(opaque) == b"y" and parts:
        return _View("directory", here, Says.OPAQUE)
    return _View(_kind(inode.mode), cut_at, Says.OPAQUE if cut_at else Says.NOTHING)


def _union_view(union: Any, path: str) -> _View:
    """A lower that is a union itself shows its merged view."""
    try:
        return _View(_kind(union.lstat(path).st_mode), "", Says.NOTHING)
    except OSError:
        return _View("", "", Says.NOTHING)


def _search(top_first: Sequence[tuple[int, str, _View]]) -> Iterator[Answer]:
    ended = False
    found = ""
    for layer, name, view in top_first:
        if ended:
            says = Says.SHADOWED if view.kind else Says.NOTHING
            yield Answer(layer, name, says, view.kind, "", asked=False)
            continue
        if not view.kind:
            yield Answer(layer, name, view.cut, "", view.at, asked=True)
            ended = view.cut is not Says.NOTHING
            continue
        if found and view.kind != "directory":
            # Below a directory only directories merge; a file there ends the search and stays hidden.
            yield Answer(layer, name, Says.SHADOWED, view.kind, "", asked=True)
            ended = True
            continue
        opens = view.cut is Says.OPAQUE
        says = Says.MERGED if found else Says.OPAQUE if opens and view.at.count("/") else Says.ANSWERS
        yield Answer(layer, name, says, view.kind, view.at, asked=True)
        found = view.kind
        ended = opens or view.kind != "directory"


def _rule(answers: Sequence[Answer], answering: Answer | None) -> str:
    asked = [answer for answer in answers if answer.asked]
    last = asked[-1] if asked else None
    if answering is not None:
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


def _kind(mode: int) -> str:
    return {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "symlink",
        stat.S_IFIFO: "fifo",
        stat.S_IFSOCK: "socket",
    }.get(stat.S_IFMT(mode), "device")
