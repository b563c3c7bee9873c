"""The playground: commands typed at a union, and what each did to its layers."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from unionfs_sim import commands
from unionfs_sim.events import CopiedUp, Event, LookedUp, OpaqueMade, RedirectMade, WhiteoutMade
from unionfs_sim.mounting import Union
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.render import State, printable, side_by_side, state
from unionfs_sim.tar.pack import pack
from unionfs_sim.typed import Typed, Usage, known, parse, user
from unionfs_sim.vfs.posix import Posix

HISTORY: Final = 100_000
"""How many operations undo can take back; mount the union with it."""


class Played:
    """The lines so far that are of any effect, for a replay; undo takes the last step away."""

    def __init__(self) -> None:
        self._lines: list[tuple[str, bool]] = []
        self._undone: list[tuple[int, str]] = []

    def append(self, line: str, *, is_step: bool) -> None:
        """A line was played; a step can be undone, other lines look or change who acts."""
        self._lines.append((line, is_step))
        if is_step:
            self._undone.clear()

    def undo(self) -> None:
        """The last step is taken back."""
        place = max(number for number, (_, is_step) in enumerate(self._lines) if is_step)
        self._undone.append((place, self._lines.pop(place)[0]))

    def redo(self) -> None:
        """The step that was undone last is done again."""
        place, line = self._undone.pop()
        self._lines.insert(place, (line, True))

    def lines(self) -> list[str]:
        """The lines in order."""
        return [line for line, _ in self._lines]


@dataclass(slots=True)
class Playground:
    """A union, who acts on it, and what happened so far. ``names``: of the lowers, base first."""

    union: Union
    names: tuple[str, ...] = ()
    view: Posix = field(init=False)
    happened: list[Event] = field(init=False, default_factory=list)
    copied_bytes: int = field(init=False, default=0)
    copy_ups: int = field(init=False, default=0)
    whiteouts: int = field(init=False, default=0)
    _shown: State | None = field(init=False, default=None)
    _played: Played = field(init=False, default_factory=Played)
    _since: dict[str, str] = field(init=False, default_factory=dict)
    _line: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self.view = self.union
        self.union.events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        match event:
            case LookedUp():
                return
            case CopiedUp(size_bytes=size):
                self.copy_ups += 1
                self.copied_bytes += size
            case WhiteoutMade():
                self.whiteouts += 1
        self.happened.append(event)

    def show(self) -> list[str]:
        """Lowers, upper and merged side by side; what changed since the last call is marked."""
        now = state(self.union, self.names)
        lines = side_by_side(now, self._shown)
        self._shown = now
        return lines

    def play(self, line: str) -> Iterator[str]:
        """What one line prints: its own output or error, then what happened, then the new state.

        Raises Usage for a line that is no command; EOFError for ``quit``.
        """
        typed = parse(line)
        if not typed.words:
            return
        own: dict[str, Callable[[tuple[str, ...]], Iterable[str]]] = {
            "undo": self._undo,
            "redo": self._redo,
            "cost": self._cost,
            "show": self._show,
            "why": self._why,
            "su": self._su,
            "export": self._export,
            "save": self._save,
            "help": self._help,
            "quit": self._quit,
            "exit": self._quit,
        }
        name = typed.words[0]
        self._line = line.strip()
        if name in own:
            yield from own[name](typed.words)
            return
        known(name, tuple(own))
        yield from self._run(typed)

    def _run(self, typed: Typed) -> Iterator[str]:
        self.happened.clear()
        before = self._latest
        with self.union.operation():
            output = typed.perform(self.view)
        self._played.append(self._line, is_step=self._latest is not before)
        yield from map(printable, output)
        yield from map(_told, self.happened)
        yield from self._changes()

    @property
    def _latest(self) -> object:
        """The operation that undo would take back; each is another object."""
        journal = self.union.tree.journal
        return journal.latest if journal is not None else None

    def lines(self) -> list[str]:
        """The commands so far without what was undone: played again, they give the same state."""
        return self._played.lines()

    def _changes(self) -> Iterator[str]:
        """The new state, if anything in it changed."""
        before, now = self._shown, state(self.union, self.names)
        if before is None or now.rows != before.rows:
            yield from side_by_side(now, before)
            self._remember(before, now)
            self._shown = now

    def _remember(self, before: State | None, now: State) -> None:
        """Note for each path since which line the upper has it as it is."""
        known = before.rows if before is not None else {}
        for path in known.keys() | now.rows.keys():
            was, is_now = _in_upper(known.get(path)), _in_upper(now.rows.get(path))
            if not is_now:
                self._since.pop(path, None)
            elif was != is_now:
                self._since[path] = self._line

    # -- the playground's own words

    def _undo(self, _: tuple[str, ...]) -> Iterator[str]:
        self._line = "undo"
        if self.union.undo():
            self._played.undo()
            yield from self._changes()
        else:
            yield "nothing to undo"

    def _redo(self, _: tuple[str, ...]) -> Iterator[str]:
        self._line = "redo"
        if self.union.redo():
            self._played.redo()
            yield from self._changes()
        else:
            yield "nothing to redo"

    def _cost(self, _: tuple[str, ...]) -> Iterator[str]:
        yield f"so far {self.copy_ups} copies up, {self.copied_bytes:,} bytes; {self.whiteouts} whiteouts"
        if self.union.upper is not None:
            entries = sum(1 for _ in self.union.upper.inodes()) - 1
            packed = sum(map(len, pack(self.union.upper)))
            yield f"the upper has {entries} entries; as a layer tar {packed:,} bytes"

    def _show(self, _: tuple[str, ...]) -> Iterator[str]:
        self._shown = None
        yield from self.show()

    def _why(self, words: tuple[str, ...]) -> Iterator[str]:
        if len(words) != 2:
            raise Usage("why PATH: which layer answers, and why the search stopped")
        path = os.path.normpath(os.path.join("/", words[1]))
        explanation = self.union.explain(path, self.names)
        yield from map(printable, str(explanation).splitlines())
        cause = explanation.answers[0].at or explanation.path
        if self.union.upper is not None and cause in self._since:
            yield printable(f"  the upper has {cause} like this since: {self._since[cause]}")

    def _su(self, words: tuple[str, ...]) -> Iterator[str]:
        uid, gid = user(words)
        self.view = self.union.acting_as(Caller(uid, gid))
        self._played.append(self._line, is_step=False)
        yield f"now uid {uid}, gid {gid}"

    def _export(self, words: tuple[str, ...]) -> Iterator[str]:
        if len(words) != 2 or self.union.upper is None:
            raise Usage("export FILE: write the upper as a layer tar")
        size = _written(words[1], pack(self.union.upper))
        yield f"{words[1]}: {size:,} bytes, the upper as an OCI layer"

    def _save(self, words: tuple[str, ...]) -> Iterator[str]:
        if len(words) != 2:
            raise Usage("save FILE: write the commands so far, without those that were undone")
        lines = self.lines()
        _written(words[1], [f"{line}\n".encode("utf-8", "surrogateescape") for line in lines])
        yield f"{words[1]}: {len(lines)} commands; layerlab fs play {words[1]} plays them again"

    def _help(self, _: tuple[str, ...]) -> Iterator[str]:
        yield "Commands on the union: " + " ".join(sorted(commands.COMMANDS))
        yield "  echo TEXT > FILE and >> FILE write; mv, rm -r, cp, ln -s and ls -l do as in a shell"
        yield "On the playground: why PATH, undo, redo, cost, show, su UID[:GID], export FILE,"
        yield "  save FILE (the commands so far, for layerlab fs play), help, quit"

    def _quit(self, _: tuple[str, ...]) -> list[str]:
        raise EOFError


def _written(path: str, pieces: Iterable[bytes]) -> int:
    """How many bytes were written to the new file ``path`` of the machine; Usage if that fails."""
    try:
        with open(path, "xb") as file:
            return sum(map(file.write, pieces))
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None


def _in_upper(signs: tuple[str, ...] | None) -> str:
    """What the upper has of a path: the column before the merged view."""
    return signs[-2] if signs is not None and len(signs) > 1 else ""


def _told(event: Event) -> str:
    """An event in words."""
    match event:
        case CopiedUp(path, mode, size):
            kind = "directory" if stat.S_ISDIR(mode) else f"{size} bytes"
            return f"  ▲ copied up {printable(path)} ({kind})"
        case WhiteoutMade(path):
            return f"  ✗ whiteout for {printable(path)}"
        case OpaqueMade(path):
            return f"  ◼ opaque: {printable(path)} hides what lower layers have in it"
        case RedirectMade(path, redirect):
            return f"  ↪ redirect: {printable(path)} was {printable(redirect)}"
        case _:
            return f"  {event}"


def play_all(playground: Playground, lines: Iterable[str], prompt: Callable[[str], str]) -> Iterator[str]:
    """What a whole script prints; a line that is no command raises Usage with its number."""
    yield from playground.show()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        yield ""
        yield prompt(text)
        try:
            yield from playground.play(text)
        except Usage as error:
            raise Usage(f"line {number}: {error}") from None
        except EOFError:
            return
