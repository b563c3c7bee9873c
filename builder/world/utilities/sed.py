"""sed: a script, applied to lines."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from builder.world.process import Process, Stream
from builder.world.utilities.options import Options, UsageError, parse
from builder.world.utilities.regex import Pattern
from builder.world.utilities.sedscript import Address, Command, Script, Substitution, Which
from builder.world.utilities.stdio import Output, contents, create, lines, octets, open_input, reason, words

_USAGE: Final = "[-i[SFX]] [-nrE] [-f FILE]... [-e CMD]... [FILE]..."
_LONG: Final = {
    "quiet": "n",
    "silent": "n",
    "regexp-extended": "E",
    "in-place": "i",
    "expression": "e",
    "file": "f",
    "separate": "s",
    "null-data": "z",
}


class _Quit(Exception):
    """The script is over: ``q``, or no next line where one is needed."""


class _Sink:
    """Where lines are printed: descriptor 1, or the new content of a file under -i."""

    def __init__(self, out: Output) -> None:
        self.out = out
        self.file: list[bytes] | None = None
        self.lacks_newline = False

    def line(self, text: bytes, end: bytes) -> None:
        """Print a line; one that had no newline in its file gets it only if something follows."""
        if self.lacks_newline:
            self._write(b"\n")
        self.lacks_newline = not end
        self._write(text + end)

    def _write(self, text: bytes) -> None:
        if self.file is not None:
            self.file.append(text)
        else:
            self.out.write(text)


class Editor:
    """The state of one run: the two spaces, the line number, what is to be printed at the end of a cycle."""

    def __init__(self, process: Process, out: Output, commands: list[Command], options: Options) -> None:
        self.process = process
        self.out = out
        self.commands = commands
        self.silent = "n" in options
        self.separate = "i" in options or "s" in options
        self.suffix = options.value("i")
        self.in_place = "i" in options
        self.end = b"\0" if "z" in options else b"\n"
        self.sink = _Sink(out)
        self.files: dict[bytes, _Sink | Stream] = {}
        self.pattern = self.hold = b""
        self.line_end = self.end
        self.number = 0
        self.name = "-"
        self.appended: list[tuple[str, bytes]] = []
        self.substituted = False
        self.last_regex: Pattern | None = None
        self.status = 0
        self._lines: Iterator[bytes] = iter(())
        self._next: bytes | None = None

    # -- input

    def _source(self, names: list[str]) -> Iterator[bytes]:
        for name in names:
            try:
                stream = open_input(self.process, name)
            except OSError as error:
                self._failed(name, error)
                continue
            self.name = name
            yield from lines(stream, self.end)

    def _failed(self, name: str, error: OSError) -> None:
        if isinstance(error, IsADirectoryError) and not self.in_place:
            self.out.complain(f"read error: {reason(error)}")
        else:
            self.out.complain(f"{name}: {reason(error)}")
        self.status = 1

    def _read(self) -> bool:
        """Take the next line into the pattern space's place; False at the end."""
        if self._next is None:
            return False
        line, self._next = self._next, next(self._lines, None)
        self.line_end = self.end if line.endswith(self.end) else b""
        self.fetched = line[: len(line) - len(self.line_end)]
        self.number += 1
        return True

    @property
    def on_last_line(self) -> bool:
        """Whether no line follows."""
        return self._next is None

    # -- the whole run

    def run(self, names: list[str]) -> int:
        """Edit the files; the exit status."""
        groups = [[name] for name in names] if self.separate else [names]
        self._open_outputs()
        try:
            for group in groups:
                if self.in_place:
                    self._edit_in_place(group[0])
                else:
                    self._edit(group)
        except _Quit:
            pass
        for sink in self.files.values():
            if not isinstance(sink, _Sink):
                sink.close()
        return self.status

    def _open_outputs(self) -> None:
        for command in self.commands:
            substitution = command.substitution
            name = command.text if command.name == "w" else substitution.file if substitution else b""
            if name == b"/dev/stdout":
                self.files[name] = self.sink
            elif name and name not in self.files:
                self.files[name] = create(self.process, words(name))

    def _edit(self, names: list[str]) -> None:
        self.number = 0
        self._lines = self._source(names)
        self._next = next(self._lines, None)
        while self._read():
            self.pattern = self.fetched
            self.substituted = False
            self._cycle()

    def _edit_in_place(self, name: str) -> None:
        fs = self.process.fs
        try:
            before = fs.stat(name)
            open_input(self.process, name).close()
        except OSError as error:
            self._failed(name, error)
            return
        self.sink.file, self.sink.lacks_newline = [], False
        finished = False
        try:
            self._edit([name])
            finished = True
        finally:
            content, self.sink.file = self.sink.file, None
            if not finished:
                # After q the rest of the file stays as it is.
                content.extend(filter(None, [self._next, *self._lines]))
            if self.suffix:
                fs.rename(name, name + self.suffix)
            temporary = f"{name}.sed-new"
            stream = fs.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, before.st_mode & 0o777)
            for piece in content:
                stream.write(piece)
            stream.close()
            try:
                fs.chown(temporary, before.st_uid, before.st_gid)
            except PermissionError:
                pass  # the new file then belongs to whoever edited it
            fs.chmod(temporary, before.st_mode & 0o7777)
            fs.rename(temporary, name)

    def _cycle(self) -> None:
        while True:
            restart = False
            try:
                restart = self._execute()
            except _Quit:
                self._finish()
                raise
            if not restart:
                return

    def _finish(self) -> None:
        for kind, text in self.appended:
            if kind == "a":
                self.sink.line(text.removesuffix(b"\n"), b"\n")
                continue
            try:
                for line in lines(self.process.open(words(text))):
                    end = b"\n" if line.endswith(b"\n") else b""
                    self.sink.line(line[: len(line) - len(end)], end)
            except OSError:
                pass  # POSIX sed, "r": a file that does not exist is as an empty one
        self.appended.clear()

    # -- one cycle

    def _execute(self) -> bool:
        """Run the script on the pattern space; True if D wants another run without a new line."""
        at = 0
        while at < len(self.commands):
            command = self.commands[at]
            if not self._selected(command):
                at = command.target if command.name == "{" else at + 1
                continue
            jump = self._do(command)
            if jump == "end":
                self._finish()
                return False
            if jump == "restart":
                self._finish()
                return True
            at = command.target if jump == "jump" else at + 1
        if not self.silent:
            self.sink.line(self.pattern, self.line_end)
        self._finish()
        return False

    def _do(self, command: Command) -> str:
        match command.name:
            case "s":
                self._substitute(command)
            case "d":
                return "end"
            case "D":
                _, newline, rest = self.pattern.partition(b"\n")
                if not newline:
                    return "end"
                self.pattern = rest
                return "restart"
            case "p":
                self.sink.line(self.pattern, self.line_end)
            case "P":
                self.sink.line(self.pattern.partition(b"\n")[0], b"\n")
            case "b":
                return "jump"
            case "t" | "T":
                substituted, self.substituted = self.substituted, False
                return "jump" if substituted == (command.name == "t") else ""
            case "n" | "N":
                self._next_line(command)
            case "q" | "Q":
                self.status = command.status or self.status
                if command.name == "q" and not self.silent:
                    self.sink.line(self.pattern, self.line_end)
                raise _Quit
            case "c":
                return self._change(command)
            case _:
                self._simple(command)
        return ""

    def _simple(self, command: Command) -> None:
        match command.name:
            case "g":
                self.pattern = self.hold
            case "G":
                self.pattern += b"\n" + self.hold
            case "h":
                self.hold = self.pattern
            case "H":
                self.hold += b"\n" + self.pattern
            case "x":
                self.pattern, self.hold = self.hold, self.pattern
            case "z":
                self.pattern = b""
            case "y":
                self.pattern = self.pattern.translate(command.table)
            case "=":
                self.sink.line(b"%d" % self.number, b"\n")
            case "F":
                self.sink.line(octets(self.name), b"\n")
            case "l":
                self.sink.line(_unambiguous(self.pattern), b"\n")
            case "i":
                self.sink.line(command.text.removesuffix(b"\n"), b"\n")
            case "a" | "r":
                self.appended.append((command.name, command.text))
            case "w":
                self._write(command.text)

    def _write(self, name: bytes) -> None:
        sink = self.files[name]
        if isinstance(sink, _Sink):
            sink.line(self.pattern, b"\n")
        else:
            sink.write(self.pattern + b"\n")

    def _next_line(self, command: Command) -> None:
        if self._next is None:
            # GNU and busybox print the pattern space before they end.
            if not self.silent:
                self.sink.line(self.pattern, self.line_end)
            raise _Quit
        if command.name == "n" and not self.silent:
            self.sink.line(self.pattern, self.line_end)
        self._finish()
        self._read()
        self.pattern = self.fetched if command.name == "n" else self.pattern + b"\n" + self.fetched

    def _change(self, command: Command) -> str:
        if command.negated or command.second is None or not command.active:
            self.sink.line(command.text.removesuffix(b"\n"), b"\n")
        return "end"

    def _selected(self, command: Command) -> bool:
        return self._in_range(command) != command.negated

    def _in_range(self, command: Command) -> bool:
        first, second = command.first, command.second
        if first is None:
            return True
        if second is None:
            return self._matches(first)
        if command.active:
            self._leave(command, second)
            return second.which is not Which.LINE or self.number <= second.line or self._matches(first)
        zero = (
            first.which is Which.LINE and first.line == 0 and second.which is Which.REGEX and self.number == 1
        )
        if not zero and not self._matches(first):
            return False
        self._enter(command, second, matched_at_once=zero)
        return True

    def _enter(self, command: Command, second: Address, *, matched_at_once: bool) -> None:
        command.active = True
        if second.which is Which.COUNT:
            command.until = self.number + second.line
        elif second.which is Which.MULTIPLE:
            step = second.line
            command.until = self.number if step == 0 else -(-self.number // step) * step
        else:
            command.until = second.line
        if second.which is Which.REGEX:
            command.active = not (matched_at_once and self._matches(second))
        elif second.which is Which.LAST:
            command.active = not self.on_last_line
        else:
            command.active = command.until > self.number

    def _leave(self, command: Command, second: Address) -> None:
        if second.which in (Which.REGEX, Which.LAST, Which.STEP):
            command.active = not self._matches(second)
        else:
            command.active = self.number < command.until

    def _matches(self, address: Address) -> bool:
        match address.which:
            case Which.LINE:
                return self.number == address.line
            case Which.LAST:
                return self.on_last_line
            case Which.STEP:
                if address.step == 0:
                    return self.number == address.line
                return self.number >= address.line and (self.number - address.line) % address.step == 0
            case _:
                return self._regex(address.pattern).matches(self.pattern)

    def _regex(self, pattern: Pattern | None) -> Pattern:
        if pattern is None:
            if self.last_regex is None:
                raise UsageError("no previous regexp")
            return self.last_regex
        self.last_regex = pattern
        return pattern

    def _substitute(self, command: Command) -> None:
        substitution = command.substitution
        assert substitution is not None, "s has one"
        changed, count = substituted(self.pattern, self._regex(substitution.pattern), substitution)
        if not count:
            return
        self.pattern = changed
        self.substituted = True
        if substitution.prints:
            self.sink.line(self.pattern, self.line_end)
        if substitution.file:
            self._write(substitution.file)


def substituted(text: bytes, pattern: Pattern, substitution: Substitution) -> tuple[bytes, int]:
    """``text`` after the substitution, and how many matches were replaced."""
    pieces: list[bytes] = []
    at, seen, replaced = 0, 0, 0
    end_of_last = -1
    while at <= len(text):
        match = pattern.search(text, at)
        if match is None:
            break
        begin, end = match.span()
        empty_again = begin == end and begin == end_of_last
        pieces.append(text[at:begin])
        if not empty_again:
            seen += 1
            wanted = (
                seen >= max(1, substitution.nth)
                if substitution.everywhere
                else seen == max(1, substitution.nth)
            )
            pieces.append(_expanded(match, substitution) if wanted else text[begin:end])
            replaced += wanted
        end_of_last = end
        if begin == end:
            pieces.append(text[end : end + 1])
            at = end + 1
        else:
            at = end
        if replaced and not substitution.everywhere:
            break
    pieces.append(text[at:])
    return b"".join(pieces), replaced


def _expanded(match: re.Match[bytes], substitution: Substitution) -> bytes:
    made = bytearray()
    mode, once = "E", ""
    for part in substitution.replacement:
        if isinstance(part, str):
            mode, once = (mode, part) if part in "ul" else (part, "")
            continue
        piece = (match[part] or b"") if isinstance(part, int) else part
        piece = piece.upper() if mode == "U" else piece.lower() if mode == "L" else piece
        if once and piece:
            piece = (piece[:1].upper() if once == "u" else piece[:1].lower()) + piece[1:]
            once = ""
        made += piece
    return bytes(made)


def _unambiguous(text: bytes) -> bytes:
    names = {92: rb"\\", 7: rb"\a", 8: rb"\b", 12: rb"\f", 10: rb"\n", 13: rb"\r", 9: rb"\t", 11: rb"\v"}
    shown = [names.get(byte, bytes([byte]) if 32 <= byte < 127 else b"\\%03o" % byte) for byte in text]
    return b"".join(shown) + b"$"


def sed(process: Process) -> int:
    """Print the files, edited by the script."""
    if list(process.argv[1:]) == ["--version"]:
        # What configure scripts look for in it, busybox says as well.
        process.out("This is not GNU sed version 4.0\n")
        return 0
    options = parse(process.argv[1:], "i::rEne:f:sz", _LONG, usage=_USAGE)
    operands = list(options.operands)
    parts: list[bytes] = []
    for letter, value in options.given:
        if letter == "e":
            parts.append(octets(value))
        elif letter == "f":
            parts.append(contents(open_input(process, value)).removesuffix(b"\n"))
    if not parts:
        if not operands:
            raise UsageError("", _USAGE)
        parts.append(octets(operands.pop(0)))
    commands = Script(b"\n".join(parts), extended="r" in options or "E" in options).read()
    with Output(process) as out:
        if "i" in options and not operands:
            raise UsageError("-i requires an argument")
        return Editor(process, out, commands, options).run(operands or ["-"])
