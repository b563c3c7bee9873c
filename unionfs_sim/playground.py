"""The playground: commands typed at a union, and what each did to its layers."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final

from unionfs_sim import commands
from unionfs_sim.caller import Caller
from unionfs_sim.changeset import pack
from unionfs_sim.events import CopiedUp, Event, LookedUp, OpaqueMade, RedirectMade, WhiteoutMade
from unionfs_sim.posix import Posix
from unionfs_sim.render import State, printable, side_by_side, state
from unionfs_sim.union import Union

HISTORY: Final = 100_000
"""How many operations undo can take back; mount the union with it."""


class Usage(Exception):
    """A line that the playground cannot make sense of."""


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
        words, target, appends = _parse(line)
        if not words:
            return
        own: dict[str, Callable[[list[str]], Iterable[str]]] = {
            "undo": self._undo,
            "redo": self._redo,
            "cost": self._cost,
            "show": self._show,
            "why": self._why,
            "su": self._su,
            "export": self._export,
            "help": self._help,
            "quit": self._quit,
            "exit": self._quit,
        }
        name = words[0]
        if name in own:
            yield from own[name](words[1:])
            return
        command = commands.COMMANDS.get(name)
        if command is None:
            close = get_close_matches(name, [*own, *commands.COMMANDS], n=1)
            raise Usage(
                f"{name}: no such command" + (f"; did you mean {close[0]}?" if close else "; try help")
            )
        self._line = line.strip()
        yield from self._run(command, words, target, appends=appends)

    def _run(
        self, command: commands.Command, words: list[str], target: str | None, *, appends: bool
    ) -> Iterator[str]:
        self.happened.clear()
        output: list[str] = []
        with self.union.operation():
            try:
                output += command(self.view, words[1:])
                if target is not None:
                    redirected, output = output, []
                    self._redirect(redirected, target, os.O_APPEND if appends else os.O_TRUNC)
            except OSError as error:
                # What was done before the error stays done, as in a shell.
                output.append(f"{words[0]}: {_place(error)}{error.strerror}")
        yield from map(printable, output)
        yield from map(_told, self.happened)
        yield from self._changes()

    def _redirect(self, output: list[str], target: str, mode: int) -> None:
        with self.view.open(target, os.O_WRONLY | os.O_CREAT | mode) as file:
            file.write("".join(f"{text}\n" for text in output).encode("utf-8", "surrogateescape"))

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

    def _undo(self, _: list[str]) -> Iterator[str]:
        self._line = "undo"
        if self.union.undo():
            yield from self._changes()
        else:
            yield "nothing to undo"

    def _redo(self, _: list[str]) -> Iterator[str]:
        self._line = "redo"
        if self.union.redo():
            yield from self._changes()
        else:
            yield "nothing to redo"

    def _cost(self, _: list[str]) -> Iterator[str]:
        yield f"so far {self.copy_ups} copies up, {self.copied_bytes:,} bytes; {self.whiteouts} whiteouts"
        if self.union.upper is not None:
            entries = sum(1 for _ in self.union.upper.inodes()) - 1
            packed = sum(map(len, pack(self.union.upper)))
            yield f"the upper has {entries} entries; as a layer tar {packed:,} bytes"

    def _show(self, _: list[str]) -> Iterator[str]:
        self._shown = None
        yield from self.show()

    def _why(self, words: list[str]) -> Iterator[str]:
        if len(words) != 1:
            raise Usage("why PATH: which layer answers, and why the search stopped")
        path = os.path.normpath(os.path.join("/", words[0]))
        explanation = self.union.explain(path, self.names)
        yield from map(printable, str(explanation).splitlines())
        cause = explanation.answers[0].at or explanation.path
        if self.union.upper is not None and cause in self._since:
            yield printable(f"  the upper has {cause} like this since: {self._since[cause]}")

    def _su(self, words: list[str]) -> Iterator[str]:
        ids = words[0].split(":") if len(words) == 1 else []
        if len(ids) not in (1, 2) or not all(each.isdigit() and len(each) < 11 for each in ids):
            raise Usage("su UID[:GID]: act as another user; su 0 is root again")
        uid, gid = int(ids[0]), int(ids[-1])
        self.view = self.union.acting_as(Caller(uid, gid))
        yield f"now uid {uid}, gid {gid}"

    def _export(self, words: list[str]) -> Iterator[str]:
        if len(words) != 1 or self.union.upper is None:
            raise Usage("export FILE: write the upper as a layer tar")
        with open(words[0], "xb") as file:
            size = sum(map(file.write, pack(self.union.upper)))
        yield f"{words[0]}: {size:,} bytes, the upper as an OCI layer"

    def _help(self, _: list[str]) -> Iterator[str]:
        yield "Commands on the union: " + " ".join(sorted(commands.COMMANDS))
        yield "  echo TEXT > FILE and >> FILE write; mv, rm -r, cp, ln -s and ls -l do as in a shell"
        yield "On the playground: why PATH, undo, redo, cost, show, su UID[:GID], export FILE, help, quit"

    def _quit(self, _: list[str]) -> list[str]:
        raise EOFError


def _in_upper(signs: tuple[str, ...] | None) -> str:
    """What the upper has of a path: the column before the merged view."""
    return signs[-2] if signs is not None and len(signs) > 1 else ""


def _parse(line: str) -> tuple[list[str], str | None, bool]:
    """(words, file that output goes to, whether it is appended)."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=">")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        words = list(lexer)
    except ValueError as error:
        raise Usage(f"{error}".lower()) from None
    for sign in (">", ">>"):
        if sign in words:
            at = words.index(sign)
            if at != len(words) - 2:
                raise Usage(f"{sign} needs one file name at the end of the line")
            return words[:at], words[-1], sign == ">>"
    return words, None, False


def _place(error: OSError) -> str:
    if error.filename is None:
        return ""
    return f"{os.fsdecode(error.filename)}: "


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
