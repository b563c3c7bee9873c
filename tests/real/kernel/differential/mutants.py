"""Negative controls: the model with one rule made wrong, which the comparison must notice."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest.mock import patch

from unionfs_sim.overlay import copyup, index, metacopy, operations, readdir, rename, whiteout, xattrs
from unionfs_sim.overlay.operations import UnionTree
from unionfs_sim.overlay.state import UnionNode
from unionfs_sim.vfs import names

from .machine import Machine
from .modes import MODES
from .report import Report
from .scenario import Scenario, play_random, replay
from .shrink import shrink

LIMIT: Final = 20_000
"""Calls within which a mutant must be noticed."""
Wrong = Callable[..., Any]


@dataclass(frozen=True)
class Mutant:
    """One wrong rule: the row it breaks, a sentence, the mode that shows it, and how the model is changed."""

    row: int
    sentence: str
    mode: str
    change: Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Noticed:
    """How a mutant was found; ``calls`` 0 if it was not."""

    mutant: Mutant
    mode: str
    calls: int
    how: str


def notice(mutant: Mutant, seed: int, kernel: Machine, model: Machine) -> Noticed:
    """Play scenarios against the mutant until they differ, where the model itself does not."""
    report = Report()
    number = 0
    while report.calls < LIMIT:
        name = f"{seed}:{mutant.mode}:{number}"
        with mutant.change():
            scenario, found = play_random(name, MODES[mutant.mode], kernel, model, report)
        if found and replay(scenario, kernel, model) is None:
            return Noticed(mutant, mutant.mode, report.calls + 1, found.where)
        number += 1
    return Noticed(mutant, mutant.mode, 0, "")


def shortest(mutant: Mutant, seed: int, kernel: Machine, model: Machine) -> Scenario:
    """The smallest scenario found that shows a mutant; AssertionError if none does."""
    for number in range(LIMIT):
        name = f"{seed}:{mutant.mode}:{number}"
        with mutant.change():
            scenario, found = play_random(name, MODES[mutant.mode], kernel, model)
            if found is None:
                continue
            scenario, _ = shrink(scenario, found, kernel, model)
        if replay(scenario, kernel, model) is None:
            return scenario
    raise AssertionError(f"nothing shows that {mutant.sentence}")


def _instead(*places: tuple[object, str], make: Callable[[Wrong], Wrong]) -> Callable[[], Any]:
    """A change that puts ``make(original)`` in place of functions."""

    @contextmanager
    def change() -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name in places:
                stack.enter_context(patch.object(owner, name, make(getattr(owner, name))))
            yield

    return change


def _always(value: object) -> Callable[[Wrong], Wrong]:
    return lambda _: lambda *args, **keywords: value


def _keeps_parent_time(original: Wrong) -> Wrong:
    def assign(journal: Any, thing: Any, name: str, value: Any) -> None:
        if name != "mtime_ns":
            original(journal, thing, name, value)

    return assign


def _two_links(original: Wrong) -> Wrong:
    def stat(tree: UnionTree, node: Any) -> Any:
        found = original(tree, node)
        return found._replace(st_nlink=2) if node.is_dir and found.st_nlink == 1 else found

    return stat


def _upper_number(original: Wrong) -> Wrong:
    def stat(tree: UnionTree, node: Any) -> Any:
        found = original(tree, node)
        copied = isinstance(node, UnionNode) and node.upper is not None and not node.is_dir
        return found._replace(st_ino=node.upper.ino) if copied else found

    return stat


def _absolute(original: Wrong) -> Wrong:
    return lambda tree, node, *, same_parent: original(tree, node, same_parent=False)


def _counts_whiteouts(original: Wrong) -> Wrong:
    return lambda tree, node: original(tree, node) and not (node.upper is not None and node.upper.children)


def _equal_is_nothing(original: Wrong) -> Wrong:
    def change(tree: UnionTree, node: Any, values: Any) -> None:
        asked = {name: value for name, value in values._asdict().items() if value is not None}
        if any(getattr(node, name, None) != value for name, value in asked.items() if value):
            original(tree, node, values)

    return change


def _read_only_first(original: Wrong) -> Wrong:
    def vacant(fs: Any, path: Any, **keywords: Any) -> Any:
        if fs._tree.read_only:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return original(fs, path, **keywords)

    return vacant


def _lower_content(original: Wrong) -> Wrong:
    def content(tree: UnionTree, node: Any) -> Any:
        return node.lowers[0].inode.content if getattr(node, "lowers", ()) else original(tree, node)

    return content


def _keeps_mark(original: Wrong) -> Wrong:
    def fill(tree: Any, node: UnionNode, *, truncating: bool) -> None:
        original(tree, node, truncating=truncating)
        tree.upper.store_xattr(node.upper, tree.xattr_metacopy, b"")

    return fill


def _callers_group(original: Wrong) -> Wrong:
    def new_mode(directory: Any, caller: Any, mode: int) -> tuple[int, int]:
        return original(directory, caller, mode)[0], caller.gid

    return new_mode


def _replaces(original: Wrong) -> Wrong:
    return lambda fs, source, target, flags: original(fs, source, target, flags & ~1)


def _not_escaped(original: Wrong) -> Wrong:
    return lambda tree, name: name


MUTANTS: Final = (
    Mutant(
        16,
        "copy-up forgets extended attributes",
        "default",
        _instead((UnionTree, "copies_xattr"), make=_always(value=False)),
    ),
    Mutant(
        3,
        "every removed name leaves a whiteout",
        "default",
        _instead((whiteout, "lower_positive"), make=_always(value=True)),
    ),
    Mutant(
        8,
        "a directory over a whiteout is not opaque",
        "default",
        _instead((whiteout, "make_opaque"), make=_always(None)),
    ),
    Mutant(
        15,
        "copy-up moves the time of the parent",
        "default",
        _instead((copyup, "assign"), make=_keeps_parent_time),
    ),
    Mutant(22, "a merged directory has two links", "default", _instead((UnionTree, "stat"), make=_two_links)),
    Mutant(
        20, "copy-up changes the inode number", "default", _instead((UnionTree, "stat"), make=_upper_number)
    ),
    Mutant(
        23,
        "lower directories can be renamed without redirect",
        "default",
        _instead((rename, "_can_move"), make=_always(value=True)),
    ),
    Mutant(
        25, "redirects are always absolute", "redirect", _instead((rename, "set_redirect"), make=_absolute)
    ),
    Mutant(
        29,
        "whiteouts count as children of a directory",
        "default",
        _instead((readdir, "is_empty"), make=_counts_whiteouts),
    ),
    Mutant(
        5,
        "stray whiteouts are hidden everywhere",
        "default",
        _instead((readdir, "listing"), make=lambda _: readdir.merged),
    ),
    Mutant(
        13,
        "a change to what is already so copies nothing up",
        "default",
        _instead((UnionTree, "change"), make=_equal_is_nothing),
    ),
    Mutant(37, "EROFS comes before EEXIST", "read-only", _instead((names, "vacant"), make=_read_only_first)),
    Mutant(
        42,
        "sticky directories protect nothing",
        "default",
        _instead((names, "may_remove"), make=_always(None)),
    ),
    Mutant(
        33,
        "a copied-up file still reads as below",
        "default",
        _instead((UnionTree, "content"), make=_lower_content),
    ),
    Mutant(30, "a metacopy keeps its mark", "metacopy", _instead((metacopy, "fill"), make=_keeps_mark)),
    Mutant(
        19,
        "the index forgets hard links",
        "index",
        _instead((index, "needs_index"), make=_always(value=False)),
    ),
    Mutant(
        49,
        "new files do not inherit the group",
        "default",
        _instead((operations, "new_mode"), make=_callers_group),
    ),
    Mutant(27, "RENAME_NOREPLACE replaces", "default", _instead((names, "move"), make=_replaces)),
    Mutant(
        40,
        "marks set through the union are not escaped",
        "default",
        _instead((xattrs, "real_name"), make=_not_escaped),
    ),
)
