"""What decides whether a step is known: a list of named inputs, and the digest over them.

The parent stack of layers, the instruction after expansion, the environment that a RUN sees, and the names,
types, modes, owners and contents of exactly the files that a step reads. Modification times do not count,
nor do variables that a step cannot see.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from builder.context.content import content_of
from builder.context.selection import Item, Selected
from builder.image.digest import ChainID
from unionfs_sim.filesystem import Filesystem

_VERSION: Final = "3"
"""Part of every key: raised when steps begin to mean something else."""

_MAX_TOLD: Final = 2000
"""So many inputs of a step are remembered one by one; of the rest, only that something changed."""

_MANY: Final = "one of many files"
_NO_PARENT: Final = "scratch"


class Input(NamedTuple):
    """One thing that a step depends on. ``name``: for people; ``digest``: of its value."""

    name: str
    digest: str


def said(name: str, *values: str) -> Input:
    """The input ``name`` whose value is these texts, kept apart from each other."""
    return Input(name, digest(*values))


def digest(*values: str) -> str:
    """A digest of the list of texts: no two lists share it, however they are cut."""
    raw = [value.encode("utf-8", "surrogateescape") for value in values]
    return hashlib.sha256(b"".join([b"%d:%s," % (len(each), each) for each in raw])).hexdigest()


def key(inputs: Iterable[Input]) -> str:
    """The cache key: a digest over names and values, in order."""
    return digest(_VERSION, *(text for each in inputs for text in (each.name, each.digest)))


def parent(chain_id: ChainID | None) -> Input:
    """The stack of layers that a step stands on."""
    return Input("the layers below", chain_id or _NO_PARENT)


def variables(kind: str, values: Mapping[str, str]) -> Iterator[Input]:
    """Variables that a command sees, by name."""
    for name in sorted(values):
        yield said(f"{kind} {name}", values[name])


def files(tree: Filesystem, selection: Iterable[Selected], *, owners: bool) -> Iterator[Input]:
    """The files of a selection, each with what COPY takes over; ``owners``: whether theirs are kept.

    Those behind the first few thousand come as one.
    """
    told, rest = 0, hashlib.sha256()
    for number, selected in enumerate(selection):
        yield said(f"source {number + 1}", selected.name, str(selected.is_directory))
        for item in selected.items:
            if selected.is_directory and item.relative == "":
                continue  # only its contents are copied
            told += 1
            each = Input(f"file {item.path}", _file(tree, selected, item, owners=owners))
            if told <= _MAX_TOLD:
                yield each
            else:
                rest.update(digest(*each).encode())
    if told > _MAX_TOLD:
        yield Input(_MANY, rest.hexdigest())


def _file(tree: Filesystem, selected: Selected, item: Item, *, owners: bool) -> str:
    status = item.status
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFREG:
        content = content_of(tree, item.path, status).digest()
    elif kind == stat.S_IFLNK:
        content = tree.readlink(item.path)
    else:
        content = str(status.st_rdev)
    xattrs = tree.xattrs(item.path)
    return digest(
        selected.name,
        item.relative,
        oct(status.st_mode),
        f"{status.st_uid}:{status.st_gid}" if owners else "",
        content,
        *(text for name in sorted(xattrs) for text in (name, xattrs[name].hex())),
    )


def remembered(inputs: Sequence[Input]) -> list[list[str]]:
    """What is kept of ``inputs`` to tell later which of them changed."""
    kept = [[each.name, each.digest[:16]] for each in inputs[:_MAX_TOLD]]
    rest = inputs[_MAX_TOLD:]
    return [*kept, [_MANY, key(rest)[:16]]] if rest else kept


def first_change(before: object, inputs: Sequence[Input]) -> str:
    """A sentence on which input changed first since ``before`` was remembered (None: never)."""
    if not isinstance(before, list):
        return "it was not built here before"
    now = remembered(inputs)
    old = {str(name): value for name, value in before}
    new_names = {name for name, _ in now}
    for name, value in now:
        if name not in old:
            return f"{name} is new"
        if old[name] != value:
            return f"{name} changed"
    for name in old:
        if name not in new_names:
            return f"{name} is gone"
    return "its layer is no longer in the store, or damaged"
