"""sed: a script, applied to lines."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.regex import Pattern
from builder.world.utilities.commandline import UsageError, parse
from builder.world.utilities.replacing import replace_file
from builder.world.utilities.sed.replacement import substituted, unambiguous
from builder.world.utilities.sed.script import Address, Command, Script, Which
from builder.world.utilities.sed.spaces import Sink, Workspace
from builder.world.utilities.streams import Output, contents, octets, open_input

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


class Editor(Workspace):
    """Runs the commands on every line."""

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
            if not isinstance(sink, Sink):
                sink.close()
        return self.status

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
            replace_file(fs, name, content, before)

    def _cycle(self) -> None:
        while True:
            self.process.machine.check()
            restart = False
            try:
                restart = self._execute()
            except _Quit:
                self._finish()
                raise
            if not restart:
                return

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
            if jump == "jump":
                self.process.machine.check()  # a branch backwards may go on for ever
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
                self._account(len(self.pattern) + len(self.hold))
                self.pattern += b"\n" + self.hold
            case "h":
                self.hold = self.pattern
            case "H":
                self._account(len(self.hold) + len(self.pattern))
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
                self.sink.line(unambiguous(self.pattern), b"\n")
            case "i":
                self.sink.line(command.text.removesuffix(b"\n"), b"\n")
            case "a" | "r":
                self.appended.append((command.name, command.text))
            case "w":
                self._write(command.text)

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
        self._account(len(self.pattern) + len(self.fetched))
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
        changed, count = substituted(
            self.pattern, self._regex(substitution.pattern), substitution, self._account
        )
        if not count:
            return
        self.pattern = changed
        self.substituted = True
        if substitution.prints:
            self.sink.line(self.pattern, self.line_end)
        if substitution.file:
            self._write(substitution.file)


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
            parts.append(contents(process, open_input(process, value)).removesuffix(b"\n"))
    if not parts:
        if not operands:
            raise UsageError("", _USAGE)
        parts.append(octets(operands.pop(0)))
    extended, check = "r" in options or "E" in options, process.machine.check
    commands = Script(b"\n".join(parts), extended=extended, check=check).read()
    with Output(process) as out:
        if "i" in options and not operands:
            raise UsageError("-i requires an argument")
        return Editor(process, out, commands, options).run(operands or ["-"])
