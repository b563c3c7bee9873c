"""The script of sed, read: addresses and commands (POSIX sed, with the GNU forms in daily use)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from builder.world.utilities.escapes import escape
from builder.world.utilities.options import UsageError
from builder.world.utilities.regex import Pattern, RegexError, bracket, compiled

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


@dataclass(frozen=True, slots=True)
class Substitution:
    """What ``s`` does. ``replacement``: literal bytes, group numbers, and one-letter case conversions."""

    pattern: Pattern | None
    replacement: tuple[bytes | int | str, ...]
    everywhere: bool
    nth: int
    prints: bool
    file: bytes


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


class Script:
    """Reads a script into commands; ``{`` knows where its ``}`` is, a jump where its label is."""

    def __init__(self, text: bytes, *, extended: bool) -> None:
        self.text = text
        self.extended = extended
        self.at = 0
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

    def _peek(self) -> bytes:
        return self.text[self.at : self.at + 1]

    def _skip(self, characters: bytes) -> None:
        while self.at < len(self.text) and self.text[self.at] in characters:
            self.at += 1

    def _skip_to_command(self) -> bool:
        self._skip(b" \t\r\v\f;\n")
        return self.at < len(self.text)

    def _number(self) -> int:
        start = self.at
        self._skip(b"0123456789")
        return int(self.text[start : self.at])

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

    def _word(self, ends: bytes) -> bytes:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[start : self.at].rstrip(b" \t")

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

    def _delimited(self, delimiter: bytes, *, regex: bool) -> bytes:
        """The text up to the next ``delimiter``; an escaped delimiter stands for itself."""
        made = bytearray()
        while True:
            char = self._peek()
            if not char:
                raise UsageError(f"unmatched '{delimiter.decode('latin-1')}'")
            self.at += 1
            if char == delimiter:
                return bytes(made)
            if char == b"[" and regex:
                made += char + self._bracket()
            elif char == b"\\":
                following = self._peek()
                self.at += 1
                if following == delimiter:
                    # Where the delimiter is an operator, escaping it must not make it one again.
                    made += following if not regex or following not in b"()|{}+?.*[]^$" else b"\\" + following
                else:
                    made += char + following
            else:
                made += char

    def _bracket(self) -> bytes:
        try:
            _, end = bracket(self.text, self.at)
        except RegexError:
            return b""
        inside = self.text[self.at : end]
        self.at = end
        return inside.replace(b"\\n", b"\n").replace(b"\\t", b"\t")

    def _pattern(self, delimiter: bytes, flags: bytes = b"") -> Pattern | None:
        return self._compile(self._delimited(delimiter, regex=True), flags or self._flags(b"IM"))

    def _flags(self, allowed: bytes) -> bytes:
        start = self.at
        self._skip(allowed)
        return self.text[start : self.at]

    def _compile(self, source: bytes, flags: bytes) -> Pattern | None:
        if not source:
            return None
        try:
            return compiled(
                _with_escapes(source),
                extended=self.extended,
                ignore_case=b"I" in flags or b"i" in flags,
                multiline=b"M" in flags or b"m" in flags,
            )
        except RegexError as error:
            raise UsageError(f"bad regex '{source.decode(errors='replace')}': {error}") from error

    def _substitution(self) -> Substitution:
        delimiter = self._peek()
        if not delimiter or delimiter in b"\n\\":
            raise UsageError("bad format in substitution expression")
        self.at += 1
        source = self._delimited(delimiter, regex=True)
        replacement = self._delimited(delimiter, regex=False)
        everywhere, prints, nth, flags, file = False, False, 0, b"", b""
        while (char := self._peek()) and char not in b"\n;}# \t":
            if char.isdigit():
                nth = self._number()
                continue
            self.at += 1
            if char == b"g":
                everywhere = True
            elif char == b"p":
                prints = True
            elif char in b"iImM":
                flags += char
            elif char == b"w":
                self._skip(b" \t")
                file = self._word(b"\n")
                break
            else:
                raise UsageError("bad option in substitution expression")
        pattern = self._compile(source, flags)
        parts = _replacement(replacement)
        if pattern is not None and any(isinstance(part, int) and part > pattern.groups for part in parts):
            raise UsageError("invalid reference on s command's RHS")
        return Substitution(pattern, parts, everywhere, nth, prints, file)

    def _translation(self) -> bytes:
        delimiter = self._peek()
        self.at += 1
        sides = []
        for _ in range(2):
            side = self._delimited(delimiter, regex=False)
            sides.append(side.replace(b"\\n", b"\n").replace(b"\\t", b"\t").replace(b"\\\\", b"\\"))
        if len(sides[0]) != len(sides[1]):
            raise UsageError("strings for 'y' command are different lengths")
        return bytes.maketrans(sides[0], sides[1])


def _with_escapes(source: bytes) -> bytes:
    r"""The expression with ``\t`` and its kin resolved, which POSIX expressions do not know."""
    made, at = bytearray(), 0
    while at < len(source):
        pair = source[at : at + 2]
        if pair[:1] == b"\\" and len(pair) == 2:
            made += escape(source, at + 1)[0] if pair[1:] in (b"t", b"r", b"f", b"v", b"a") else pair
            at += 2
        else:
            made += pair[:1]
            at += 1
    return bytes(made)


def _replacement(text: bytes) -> tuple[bytes | int | str, ...]:
    parts: list[bytes | int | str] = []
    literal = bytearray()

    def flush(part: int | str) -> None:
        if literal:
            parts.append(bytes(literal))
            literal.clear()
        parts.append(part)

    at = 0
    while at < len(text):
        char = text[at : at + 1]
        at += 1
        if char == b"&":
            flush(0)
        elif char == b"\\" and at < len(text):
            following = text[at : at + 1]
            if following.isdigit():
                flush(int(following))
                at += 1
            elif following in b"ULEul":
                flush(following.decode())
                at += 1
            elif following in b"ntrfvax":
                piece, at = escape(text, at)
                literal += piece
            else:
                literal += following
                at += 1
        else:
            literal += char
    if literal:
        parts.append(bytes(literal))
    return tuple(parts)
