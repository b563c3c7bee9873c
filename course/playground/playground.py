"""The playground: lines typed at a shell on a union, and what each did to the layers."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from builder.strategies.simulated import programs
from builder.world.shell.interactive import InteractiveShell, Leave
from course.playground.changes import Cost, told
from course.playground.picture import State, changed_paths, state, table
from course.playground.recording import Call, Recorder, Tape
from course.playground.text import Line, Tone, counted, printable
from unionfs_sim import Caller, Union
from unionfs_sim.events import Event, LookedUp
from unionfs_sim.tar.pack import pack

HISTORY: Final = 100_000
"""How many operations undo can take back; mount the union with it."""

_MOST_CHANGED: Final = 12
"""So many changed rows are shown after a line; all of them by ``show``."""

_HELP: Final[Mapping[str, tuple[str, str]]] = {
    "why": ("why PATH", "which layer answers PATH, which were asked, and why the search stopped"),
    "undo": ("undo [N]", "take the last N lines back that changed something, and say what that brings back"),
    "redo": ("redo [N]", "do again what was undone"),
    "cost": ("cost", "what copies up and whiteouts cost so far, and how large the upper is as a layer"),
    "diff": ("diff", "what the upper adds, changes and removes, as an image layer would"),
    "show": ("show [all]", "the layers side by side; what the last line changed stands first"),
    "su": ("su UID[:GID]", "act as somebody else; su 0 is root again"),
    "history": ("history", "the lines so far, without those that were undone"),
    "save": ("save FILE", "write the lines so far to a new file of this machine, for layerlab fs play"),
    "export": ("export FILE", "write the upper as a layer tar to a new file of this machine"),
    "help": ("help [WORD]", "this list, or what WORD does"),
    "quit": ("quit", "leave; so does Ctrl-D"),
}


class Usage(Exception):
    """A line that cannot be made sense of."""


class Played(NamedTuple):
    """A line that was played. ``is_step``: undo can take it back; ``calls``: what the shell asked for."""

    line: str
    is_step: bool
    calls: Sequence[Call]


class Playground:
    """A union, a shell on it, and what happened so far.

    ``names``: of the lowers, base first. ``columns``, ``lines``: how large the window is, asked each time.
    """

    def __init__(
        self,
        union: Union,
        names: Sequence[str] = (),
        *,
        window: Callable[[], tuple[int, int]] = lambda: (100, 40),
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self.union = union
        self.names = tuple(names)
        self.cost = Cost()
        self._window = window
        self._tape = Tape()
        self._output = bytearray()
        root: Any = Recorder(union, self._tape)
        self.shell = InteractiveShell(root, programs(), self._output.extend, is_cancelled=is_cancelled)
        self._played: list[Played] = []
        self._undone: list[tuple[int, Played]] = []
        self._happened: list[Event] = []
        self._since: dict[str, str] = {}
        self._shown = state(union, self.names)
        self._changed: list[str] = []
        union.events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        if not isinstance(event, LookedUp):
            self._happened.append(event)
            self.cost.add(event)

    # ---- what is typed -----------------------------------------------------------------------------

    def play(self, line: str) -> Iterator[Line]:
        """What one line prints: its own output, then what it changed and cost.

        Raises Usage for a word of the playground that is used wrongly; EOFError for ``quit``.
        """
        words = line.split()
        if not words or words[0].startswith("#"):
            return
        own: dict[str, Callable[[list[str]], Iterable[Line]]] = {
            "undo": self._undo,
            "redo": self._redo,
            "cost": self._cost,
            "diff": self._diff,
            "show": self._show,
            "why": self._why,
            "su": self._su,
            "history": self._history,
            "export": self._export,
            "save": self._save,
            "help": self._help,
            "quit": self._quit,
        }
        if words[0] in own and not (words[0] == "export" and "=" in line):
            yield from own[words[0]](_split(line))
            return
        yield from self._run(line.strip())

    def _run(self, line: str) -> Iterator[Line]:
        self._happened.clear()
        self._tape.cut()
        before = self._latest
        try:
            with self.union.operation():
                self.shell.run(line)
        except Leave:
            raise EOFError from None
        is_step = self._latest is not before
        self._played.append(Played(line, is_step, self._tape.cut()))
        if is_step:
            self._undone.clear()
        yield from self._printed()
        yield from self._changes(line)

    def _printed(self) -> Iterator[Line]:
        text = bytes(self._output).decode("utf-8", "surrogateescape")
        self._output.clear()
        if text:
            yield from (Line(printable(each)) for each in text.removesuffix("\n").split("\n"))

    @property
    def _latest(self) -> object:
        """The operation that undo would take back; each is another object."""
        journal = self.union.tree.journal
        return journal.latest if journal is not None else None

    @property
    def prompt(self) -> str:
        """What stands before a line: who acts, and where."""
        return f"{printable(self.shell.cwd)} {'#' if self.shell.caller.is_root else '$'} "

    def lines(self) -> list[str]:
        """The lines so far without what was undone: played again, they give the same state."""
        return [each.line for each in self._played]

    def calls(self) -> list[Call]:
        """What the shell asked the union for, without what was undone."""
        return [call for each in self._played for call in each.calls]

    def completions(self, text: str, line: str) -> list[str]:
        """What ``text``, the last word of ``line``, may become: a command, or a path of the union."""
        if line.strip() == text.strip() or line.split()[:1] == ["help"]:
            return [f"{word} " for word in sorted({*_HELP, *self.shell.words()}) if word.startswith(text)]
        directory, slash, name = text.rpartition("/")
        stem = f"{directory}{slash}"
        names = self.shell.names_in(stem)
        return [f"{stem}{each}" for each in names if each.startswith(name)]

    # ---- what changed ------------------------------------------------------------------------------

    def _changes(self, line: str) -> Iterator[Line]:
        before, now = self._shown, state(self.union, self.names)
        self._shown = now
        changed = changed_paths(now, before)
        yield from told(self._happened, before, now)
        if changed:
            self._changed = changed
            self._remember(before, now, line)
            yield from self._rows(now, changed)

    def _rows(self, now: State, changed: Sequence[str]) -> Iterator[Line]:
        """The changed rows, or the first of them; nothing else, for that is what show is for."""
        columns, _ = self._window()
        few = changed[:_MOST_CHANGED]
        only = State(now.columns, {path: now.rows[path] for path in few if path in now.rows}, now.has_upper)
        yield from table(only, few, columns=columns, lines=len(few))
        if len(changed) > len(few):
            yield Line(f"  … and {len(changed) - len(few):,} more rows changed: show", Tone.NOTE)

    def show(self) -> Iterator[Line]:
        """The layers side by side, as large as the window; what the last line changed stands first."""
        columns, lines = self._window()
        yield from table(self._shown, self._changed, columns=columns, lines=lines)

    def _remember(self, before: State, now: State, line: str) -> None:
        """Note for each path since which line the upper has it as it is."""
        for path in before.rows.keys() | now.rows.keys():
            was, is_now = before.upper(path), now.upper(path)
            if not is_now:
                self._since.pop(path, None)
            elif was != is_now:
                self._since[path] = line

    # ---- the playground's own words ----------------------------------------------------------------

    def _undo(self, words: list[str]) -> Iterator[Line]:
        for _ in range(_number(words, "undo [N]")):
            self._happened.clear()
            if not self.union.undo():
                yield Line("nothing to undo", Tone.NOTE)
                return
            place = max(number for number, each in enumerate(self._played) if each.is_step)
            taken = self._played.pop(place)
            self._undone.append((place, taken))
            yield Line(f"took back: {printable(taken.line)}", Tone.NOTE)
            yield from self._changes("undo")

    def _redo(self, words: list[str]) -> Iterator[Line]:
        for _ in range(_number(words, "redo [N]")):
            self._happened.clear()
            if not self.union.redo():
                yield Line("nothing to redo", Tone.NOTE)
                return
            place, taken = self._undone.pop()
            self._played.insert(place, taken)
            yield Line(f"did again: {printable(taken.line)}", Tone.NOTE)
            yield from self._changes(taken.line)

    def _cost(self, _: list[str]) -> Iterator[Line]:
        yield Line(f"so far: {self.cost}")
        if self.union.upper is not None:
            entries = sum(1 for _ in self.union.upper.inodes()) - 1
            packed = sum(map(len, pack(self.union.upper)))
            yield Line(
                f"the upper has {counted(entries, 'entry', 'entries')}; as a layer tar {packed:,} bytes"
            )

    def _diff(self, _: list[str]) -> Iterator[Line]:
        now = self._shown
        lower = slice(None, -2 if now.has_upper else -1)
        for path, row in now.rows.items():
            sign, below = now.upper(path), any(row[lower])
            if sign == "whiteout":
                yield Line(f"D {printable(path)}", Tone.GONE)
            elif sign:
                yield Line(f"{'C' if below else 'A'} {printable(path)}", Tone.CHANGED if below else Tone.NEW)

    def _show(self, words: list[str]) -> Iterator[Line]:
        if words[1:] not in ([], ["all"]):
            raise Usage(_usage("show"))
        columns, lines = self._window()
        rows = len(self._shown.rows) + 10 if words[1:] else lines
        yield from table(self._shown, self._changed, columns=columns, lines=rows)

    def _why(self, words: list[str]) -> Iterator[Line]:
        if len(words) != 2:
            raise Usage(_usage("why"))
        path = os.path.normpath(os.path.join(self.shell.cwd, words[1]))
        explanation = self.union.explain(path, self.names)
        yield from (Line(printable(each)) for each in str(explanation).splitlines())
        cause = explanation.answers[0].at or explanation.path
        if self.union.upper is not None and cause in self._since:
            since = printable(self._since[cause])
            yield Line(f"  the upper has {printable(cause)} like this since: {since}", Tone.NOTE)

    def _su(self, words: list[str]) -> Iterator[Line]:
        ids = words[1].split(":") if len(words) == 2 else []
        if len(ids) not in (1, 2) or not all(each.isdigit() and len(each) < 10 for each in ids):
            raise Usage(_usage("su"))
        uid, gid = int(ids[0]), int(ids[-1])
        try:
            self.shell.become(Caller(uid, gid))
        except OSError as error:
            raise Usage(f"su: {self.shell.cwd}: {error.strerror}") from None
        self._played.append(Played(" ".join(words), is_step=False, calls=()))
        yield Line(f"now uid {uid}, gid {gid}", Tone.NOTE)

    def _history(self, _: list[str]) -> Iterator[Line]:
        yield from (Line(f"{at:4}  {printable(line)}") for at, line in enumerate(self.lines(), 1))

    def _export(self, words: list[str]) -> Iterator[Line]:
        if len(words) != 2 or self.union.upper is None:
            raise Usage(_usage("export"))
        size = _written(words[1], pack(self.union.upper))
        yield Line(f"{words[1]}: {size:,} bytes, the upper as an OCI layer", Tone.NOTE)

    def _save(self, words: list[str]) -> Iterator[Line]:
        if len(words) != 2:
            raise Usage(_usage("save"))
        lines = self.lines()
        _written(words[1], [f"{line}\n".encode("utf-8", "surrogateescape") for line in lines])
        yield Line(f"{words[1]}: {len(lines)} lines; layerlab fs play {words[1]} plays them again", Tone.NOTE)

    def _help(self, words: list[str]) -> Iterator[Line]:
        if len(words) == 2:
            yield self._about(words[1])
            return
        yield Line("A shell on the union: pipes, &&, $VARIABLES, for, cd, find, ls -l, cp -r, ln -s, sed …")
        yield Line("After each line it says what changed in the layers, and what that cost. Besides:")
        yield from (Line(f"  {form:15} {text}") for form, text in _HELP.values())

    def _about(self, word: str) -> Line:
        if word in _HELP:
            return Line(": ".join(_HELP[word]))
        known = self.shell.words()
        if word in known:
            return Line(f"{word}: a command of the simulated shell, as in busybox; try {word} --help")
        near = get_close_matches(word, [*_HELP, *known], n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        return Line(f"{printable(word)}: no such command{guess}", Tone.ERROR)

    def _quit(self, _: list[str]) -> list[Line]:
        raise EOFError


def _usage(word: str) -> str:
    return ": ".join(_HELP[word])


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Usage(str(error).lower()) from None


def _number(words: Sequence[str], usage: str) -> int:
    if len(words) == 1:
        return 1
    if len(words) != 2 or not words[1].isdigit() or not 0 < int(words[1]) <= HISTORY:
        raise Usage(f"{usage}: how many lines")
    return int(words[1])


def _written(path: str, pieces: Iterable[bytes]) -> int:
    """How many bytes were written to the new file ``path`` of the machine; Usage if that fails."""
    try:
        with open(path, "xb") as file:
            return sum(map(file.write, pieces))
    except OSError as error:
        raise Usage(f"{path}: {error.strerror}") from None


def play_all(playground: Playground, lines: Iterable[str]) -> Iterator[Line]:
    """What a whole script prints, each line with its prompt; Usage names the number of the line."""
    yield from playground.show()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        yield Line("")
        yield Line(f"{playground.prompt}{printable(text)}", Tone.NOTE)
        try:
            yield from playground.play(text)
        except Usage as error:
            raise Usage(f"line {number}: {error}") from None
        except EOFError:
            return
