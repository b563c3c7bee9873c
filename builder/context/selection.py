"""Which files a COPY or ADD reads: sources and patterns, looked up in a tree.

What is selected decides the cache key and, together with the destination, the edits. BuildKit's rules
(``solver/llbsolver/file`` and fsutil ``copy``): wildcards match one component each, the last symlink of a
source is followed, a directory stands for its contents.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from builder.context.ignore import IgnoreFile
from builder.context.paths import clean, glob, has_wildcard, join, leaves, lstat, resolve
from builder.errors import ContextError
from unionfs_sim.filesystem import Filesystem, Stat
from unionfs_sim.nodes.record import Record

_PIVOT: Final = "/./"


def _no_hint(_path: str) -> str | None:
    return None


class Source(Record):
    """A tree to copy from. ``hint``: from a path that is not there to a sentence on why, or None."""

    tree: Filesystem
    label: str
    hint: Callable[[str], str | None] = _no_hint


class Item(NamedTuple):
    """One file of a selection. ``relative``: below the selection's top, "" for the top itself."""

    relative: str
    path: str
    status: Stat

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.status.st_mode)


class Selected(NamedTuple):
    """One match of one source: its name as written and what is to be copied, parents before children."""

    name: str
    items: tuple[Item, ...]

    @property
    def is_directory(self) -> bool:
        """Whether the match stands for the contents of a directory."""
        return bool(self.items) and self.items[0].relative == "" and self.items[0].is_directory


def select(
    source: Source, patterns: Sequence[str], *, exclude: Sequence[str] = (), parents: bool = False
) -> tuple[Selected, ...]:
    """What ``patterns`` match in ``source``, in the order written; a wildcard may match nothing.

    ContextError if a plain name is not there, leaves the tree, or runs in a circle of symlinks.
    ``parents``: keep the directories of each match (COPY --parents).
    """
    excluded = IgnoreFile.of(exclude) if exclude else None
    found: list[Selected] = []
    for pattern in patterns:
        if leaves(pattern):
            raise ContextError(
                f"{pattern}: this path leaves {source.label}", fix="only files below it can be copied"
            )
        try:
            if parents:
                found.append(_with_parents(source, pattern, excluded))
            else:
                found += _plain(source, pattern, excluded)
        except ValueError as error:
            raise ContextError(
                f"{pattern}: not a pattern: {error}", fix="put a backslash before it"
            ) from None
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise ContextError(f"{pattern}: a circle of symlinks in {source.label}") from None
            raise ContextError(f"{pattern}: {error.strerror} ({error.filename}) in {source.label}") from None
    return tuple(found)


def _plain(source: Source, pattern: str, excluded: IgnoreFile | None) -> Iterator[Selected]:
    for match in glob(source.tree, clean(pattern)):
        real = resolve(source.tree, match)
        status = lstat(source.tree, real)
        if status is None:
            raise _missing(source, pattern, match, real)
        name = PurePosixPath(match).name
        if stat.S_ISDIR(status.st_mode):
            yield Selected(name, (Item("", real, status), *_below(source.tree, real, "", excluded)))
        elif excluded is None or excluded.matches(name) is None:
            yield Selected(name, (Item("", real, status),))


def _with_parents(source: Source, pattern: str, excluded: IgnoreFile | None) -> Selected:
    """The matches of ``pattern`` as one directory's contents, from the pivot ``/./`` on, if there is one.

    With wildcards it is a pattern of .dockerignore: ``**`` is any number of components, and a directory that
    matches brings all that is below it (BuildKit ``dispatchCopy``: ``IncludePatterns``).
    """
    before, pivot, after = pattern.partition(_PIVOT)
    top = resolve(source.tree, clean(before)) if pivot else "/"
    status = lstat(source.tree, top)
    if status is None:
        raise _missing(source, pattern, before, top)
    wanted = clean(after if pivot else pattern)
    items: dict[str, Item] = {"": Item("", top, status)}
    if has_wildcard(wanted):
        included = IgnoreFile.of([wanted.lstrip("/")], name="--parents")
        below = _below(source.tree, top, "", excluded)
        matches = [item for item in below if included.matches(item.relative) is not None]
    else:
        matches = list(_named(source, pattern, top, wanted.lstrip("/"), excluded))
    for item in matches:
        for ancestor in reversed(PurePosixPath(item.relative).parents[:-1]):
            path = join(top, str(ancestor))
            items.setdefault(str(ancestor), Item(str(ancestor), path, source.tree.lstat(path)))
        items[item.relative] = item
    return Selected("", tuple(items.values()))


def _named(
    source: Source, pattern: str, top: str, relative: str, excluded: IgnoreFile | None
) -> Iterator[Item]:
    """The name ``relative`` below ``top``, with all that is below it; no symlink is on the way."""
    place = join(top, relative)
    for ancestor in reversed(PurePosixPath(relative).parents[:-1]):
        found = lstat(source.tree, join(top, str(ancestor)))
        if found is not None and stat.S_ISLNK(found.st_mode):
            raise ContextError(
                f"{pattern}: --parents does not walk through the symlink {ancestor}",
                fix=f"name the directory that it leads to: {source.tree.readlink(join(top, str(ancestor)))}",
            )
    found = lstat(source.tree, place)
    if found is None:
        raise _missing(source, pattern, place, place)
    if excluded is None or excluded.matches(relative) is None:
        yield Item(relative, place, found)
    if stat.S_ISDIR(found.st_mode):
        yield from _below(source.tree, place, relative, excluded)


def _below(tree: Filesystem, directory: str, relative: str, excluded: IgnoreFile | None) -> Iterator[Item]:
    """What lies below ``directory``, sorted, parents first; an excluded directory only if not empty."""
    for name in sorted(tree.listdir(directory)):
        path = join(directory, name)
        here = f"{relative}/{name}" if relative else name
        item = Item(here, path, tree.lstat(path))
        dropped = excluded is not None and excluded.matches(here) is not None
        if not item.is_directory:
            if not dropped:
                yield item
            continue
        children = _below(tree, path, here, excluded)
        if dropped:
            first = next(children, None)
            if first is None:
                continue
            yield item
            yield first
        else:
            yield item
        yield from children


def _missing(source: Source, pattern: str, match: str, real: str) -> ContextError:
    where = "" if real == clean(match) else f" (it leads to {real})"
    what = f"{pattern}: no such file in {source.label}{where}"
    hint = source.hint(real)
    if hint is None and has_wildcard(pattern):
        hint = "the pattern matches a symlink that leads nowhere"
    return ContextError(what, fix=hint)
