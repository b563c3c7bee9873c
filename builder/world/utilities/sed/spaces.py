"""The state of a running sed: its two spaces, the lines that come in, and where lines go."""

from __future__ import annotations

from collections.abc import Iterator

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.matching.regex import Pattern
from builder.world.utilities.commandline import Options
from builder.world.utilities.sed.script import Command
from builder.world.utilities.streams import Output, create, lines, open_input, reason, words


class Sink:
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


class Workspace:
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
        self.sink = Sink(out)
        self.files: dict[bytes, Sink | Stream] = {}
        self.pattern = self.hold = b""
        self.line_end = self.end
        self.number = 0
        self.name = "-"
        self.appended: list[tuple[str, bytes]] = []
        self.substituted = False
        self.last_regex: Pattern | None = None
        self.status = 0
        self._account = process.machine.account_memory
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
            yield from lines(self.process, stream, self.end)

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

    def _open_outputs(self) -> None:
        for command in self.commands:
            substitution = command.substitution
            name = command.text if command.name == "w" else substitution.file if substitution else b""
            if name == b"/dev/stdout":
                self.files[name] = self.sink
            elif name and name not in self.files:
                self.files[name] = create(self.process, words(name))

    def _finish(self) -> None:
        for kind, text in self.appended:
            if kind == "a":
                self.sink.line(text.removesuffix(b"\n"), b"\n")
                continue
            try:
                for line in lines(self.process, self.process.open(words(text))):
                    end = b"\n" if line.endswith(b"\n") else b""
                    self.sink.line(line[: len(line) - len(end)], end)
            except OSError:
                pass  # POSIX sed, "r": a file that does not exist is as an empty one
        self.appended.clear()

    def _write(self, name: bytes) -> None:
        sink = self.files[name]
        if isinstance(sink, Sink):
            sink.line(self.pattern, b"\n")
        else:
            sink.write(self.pattern + b"\n")
