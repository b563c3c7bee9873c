"""What one line changed and what it cost, in a few words however many files it touched."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from course.playground.picture import State
from course.playground.text import Line, Tone, counted, printable
from unionfs_sim.events import CopiedUp, Event, OpaqueMade, RedirectMade, WhiteoutMade

_FEW = 4
"""So many events of a kind are told one by one; more are counted."""


@dataclass(slots=True)
class Cost:
    """What operations wrote into the upper beside what they were asked for."""

    copied_files: int = 0
    copied_directories: int = 0
    copied_bytes: int = 0
    whiteouts: int = 0

    def add(self, event: Event) -> None:
        """Count one event."""
        match event:
            case CopiedUp(mode=mode, size_bytes=size):
                if stat.S_ISDIR(mode):
                    self.copied_directories += 1
                else:
                    self.copied_files += 1
                self.copied_bytes += size
            case WhiteoutMade():
                self.whiteouts += 1

    def __str__(self) -> str:
        parts = [
            counted(self.whiteouts, "whiteout") if self.whiteouts else "",
            f"{counted(self.copied_files, 'file')} copied up" if self.copied_files else "",
            f"{counted(self.copied_directories, 'directory', 'directories')} copied up"
            if self.copied_directories
            else "",
        ]
        said = ", ".join(filter(None, parts))
        return f"{said}, {counted(self.copied_bytes, 'byte')}" if said else "no copy up, no whiteout"


def told(events: Sequence[Event], before: State, now: State) -> Iterator[Line]:
    """What happened: what shows otherwise now, what that cost, and the events of which there are few."""
    cost = Cost()
    for event in events:
        cost.add(event)
    shown = _shown(before, now)
    if shown or events:
        yield Line(f"  {shown or 'what shows is the same'}: {cost}", Tone.CHANGED)
    yield from _events(events)


def _shown(before: State, now: State) -> str:
    """How the merged view differs: names that are new, gone, moved or changed."""
    old = {path for path in before.rows if before.merged(path)}
    new = {path for path in now.rows if now.merged(path)}
    come, gone = new - old, old - new
    changed = sum(before.merged(path) != now.merged(path) for path in old & new)
    parts: list[str] = []
    moved = _moved(come, gone)
    if moved is not None:
        source, target = moved
        parts.append(f"{counted(len(come), 'name')} moved from {printable(source)} to {printable(target)}")
    else:
        parts += [f"{counted(len(come), 'name')} new"] if come else []
        parts += [f"{counted(len(gone), 'name')} gone"] if gone else []
    parts += [f"{counted(changed, 'name')} changed"] if changed else []
    return ", ".join(parts)


def _moved(come: set[str], gone: set[str]) -> tuple[str, str] | None:
    """The tops of two equal sets of names, if what came is what went under another name."""
    if not come or len(come) != len(gone):
        return None
    target, source = min(come, key=len), min(gone, key=len)
    if {path.removeprefix(target) for path in come} == {path.removeprefix(source) for path in gone}:
        return source, target
    return None


def _events(events: Sequence[Event]) -> Iterator[Line]:
    kinds: list[tuple[type[Event], str, Tone]] = [
        (CopiedUp, "▲", Tone.NEW),
        (WhiteoutMade, "✗", Tone.GONE),
        (OpaqueMade, "◼", Tone.GONE),
        (RedirectMade, "↪", Tone.CHANGED),
    ]
    for kind, sign, tone in kinds:
        of_kind = [event for event in events if isinstance(event, kind)]
        if len(of_kind) <= _FEW:
            yield from (Line(f"  {sign} {_said(event)}", tone) for event in of_kind)
            continue
        paths = [event.path for event in of_kind]
        where = posixpath.commonpath(paths)
        yield Line(f"  {sign} {len(paths):,} {_WORDS[kind]} below {printable(where)}", tone)


_WORDS: dict[type[Event], str] = {
    CopiedUp: "copied up",
    WhiteoutMade: "whiteouts",
    OpaqueMade: "opaque directories",
    RedirectMade: "redirects",
}


def _said(event: Event) -> str:
    match event:
        case CopiedUp(path, mode, size):
            kind = "directory" if stat.S_ISDIR(mode) else counted(size, "byte")
            return f"copied up {printable(path)} ({kind})"
        case WhiteoutMade(path):
            return f"whiteout for {printable(path)}"
        case OpaqueMade(path):
            return f"opaque: {printable(path)} hides what lower layers have in it"
        case RedirectMade(path, redirect):
            return f"redirect: the lower part of {printable(path)} stays at {printable(redirect)}"
    return str(event)
