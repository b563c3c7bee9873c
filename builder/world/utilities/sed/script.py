"""The script of sed, read: addresses and commands (POSIX sed, with the GNU forms in daily use)."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from builder.world.matching.regex import Pattern
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.sed.reader import Reader, Substitution

_COMMANDS: Final = b"=aAbcdDFgGhHilnNpPqQrsStTvwxyz{}:#"


class Which(enum.Enum):
    """What kind of address it is."""

    LINE = "N"
    LAST = "$"
    REGEX = "/re/"
    STEP = "first~step"
    COUNT = "addr,+N"
    MULTIPLE = "addr,~N"


@dataclass(frozen=True, slots=True)
class Address:
    """One address. ``pattern`` None in a REGEX: the expression used last."""

    which: Which
    line: int = 0
    step: int = 0
    pattern: Pattern | None = None


@dataclass(slots=True)
class Command:
    """One command. ``text``: the text of a, i, c; the label of b, t, T and ``:``; the file of r and w.

    ``active`` and ``until`` are the state of its address range while the script runs.
    """

    name: str
    first: Address | None = None
    second: Address | None = None
    negated: bool = False
    text: bytes = b""
    table: bytes = b""
    substitution: Substitution | None = None
    status: int = 0
    target: int = -1
    active: bool = field(default=False)
    until: int = field(default=0)


class Script(Reader):
    """Reads a script into commands; ``{`` knows where its ``}`` is, a jump where its label is."""

    def __init__(self, text: bytes, *, extended: bool, check: Callable[[], None]) -> None:
        super().__init__(text, extended=extended, check=check)
        self.commands: list[Command] = []
        self.blocks: list[int] = []

    def read(self) -> list[Command]:
        """The commands, in order. Raises UsageError."""
        while self._skip_to_command():
            self._command()
        if self.blocks:
            raise UsageError("unterminated {")
        labels = {command.text: at for at, command in enumerate(self.commands) if command.name == ":"}
        for command in self.commands:
            if command.name in ("b", "t", "T"):
                if command.text and command.text not in labels:
                    raise UsageError(
                        f"can't find label for jump to '{command.text.decode(errors='replace')}'"
                    )
                command.target = (
                    labels.get(command.text, len(self.commands)) if command.text else len(self.commands)
                )
        return self.commands

    def _skip_to_command(self) -> bool:
        self._skip(b" \t\r\v\f;\n")
        return self.at < len(self.text)

    def _address(self) -> Address | None:
        char = self._peek()
        if char.isdigit():
            line = self._number()
            if self._peek() == b"~" and self.text[self.at + 1 : self.at + 2].isdigit():
                self.at += 1
                return Address(Which.STEP, line, self._number())
            return Address(Which.LINE, line)
        if char == b"$":
            self.at += 1
            return Address(Which.LAST)
        if char == b"/" or char == b"\\":
            self.at += 1 + (char == b"\\")
            pattern = self._pattern(self.text[self.at - 1 : self.at])
            return Address(Which.REGEX, pattern=pattern)
        return None

    def _second_address(self) -> Address:
        char = self._peek()
        if char in (b"+", b"~") and self.text[self.at + 1 : self.at + 2].isdigit():
            self.at += 1
            return Address(Which.COUNT if char == b"+" else Which.MULTIPLE, self._number())
        address = self._address()
        if address is None:
            raise UsageError("no address after comma")
        return address

    def _command(self) -> None:
        command = Command("")
        command.first = self._address()
        self._skip(b" \t")
        if command.first is not None and self._peek() == b",":
            self.at += 1
            self._skip(b" \t")
            command.second = self._second_address()
            self._skip(b" \t")
        while self._peek() == b"!":
            command.negated = True
            self.at += 1
            self._skip(b" \t")
        name = self._peek()
        if not name or name == b"\n":
            raise UsageError("missing command")
        if name not in _COMMANDS:
            raise UsageError(f"unsupported command {name.decode('latin-1')}")
        self.at += 1
        command.name = name.decode()
        self._arguments(command)

    def _arguments(self, command: Command) -> None:
        name = command.name
        if name == "#":
            end = self.text.find(b"\n", self.at)
            self.at = len(self.text) if end < 0 else end
            return
        if name == "{":
            self.blocks.append(len(self.commands))
            self.commands.append(command)
            return
        if name == "}":
            if not self.blocks:
                raise UsageError("unexpected }")
            self.commands[self.blocks.pop()].target = len(self.commands)
        elif name in "aic":
            command.text = self._text()
            self.commands.append(command)
            return
        elif name in ":btT":
            self._skip(b" \t")
            command.text = self._word(b"\n;" if name == ":" else b"\n;}")
        elif name in "rw":
            self._skip(b" \t")
            command.text = self._word(b"\n")
            if not command.text:
                raise UsageError("empty filename")
        elif name == "s":
            command.substitution = self._substitution()
        elif name == "y":
            command.table = self._translation()
        elif name in "qQ":
            self._skip(b" \t")
            command.status = self._number() if self._peek().isdigit() else 0
        self.commands.append(command)
        self._end()

    def _end(self) -> None:
        self._skip(b" \t\r")
        char = self._peek()
        if char not in (b"", b"\n", b";", b"}", b"#"):
            raise UsageError("extra characters after command")

    def _text(self) -> bytes:
        """The text of a, i and c: in the same line (GNU) or after a backslash and a newline (POSIX)."""
        self._skip(b" \t")
        if self._peek() == b"\\":
            after = self.at + 1
            while self.text[after : after + 1] in (b" ", b"\t") and self.text[after : after + 1]:
                after += 1
            if self.text[after : after + 1] == b"\n":
                self.at = after + 1
            else:
                self.at += 1
        made = bytearray()
        while self.at < len(self.text):
            char = self._peek()
            self.at += 1
            if char == b"\n":
                break
            if char == b"\\" and self.at < len(self.text):
                if self._peek() == b"n" and made:
                    made += b"\n"
                    self.at += 1
                    continue
                char = self._peek()
                self.at += 1
            made += char
        return bytes(made) + b"\n"
