"""What a running awk program knows: variables, the record and its fields, files and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from builder.world.machine.descriptor import ByteSource, Collector, Stream, opened
from builder.world.machine.process import Process
from builder.world.matching.regex import Pattern, RegexError, compiled
from builder.world.utilities.awk.lexer import unescaped
from builder.world.utilities.awk.records import Records, fields
from builder.world.utilities.awk.values import NOTHING, Input, Value, number, string
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.streams import Output, create, octets, open_input, reason, words

Array = dict[bytes, Value]

_ELEMENT_BYTES: Final = 128
"""What an element of an array costs Python beside its key and its text."""
_MOST_EXPRESSIONS: Final = 256
_FIELDS_LIMIT: Final = 1 << 20


class State:
    """Variables, the current record, input and output. Assigning to a field rebuilds ``$0``, and so on."""

    def __init__(self, process: Process, out: Output) -> None:
        self.process = process
        self.out = out
        self.account_memory = process.machine.account_memory
        self._held = 0
        self._expressions: dict[bytes, Pattern] = {}
        # fmt: off
        self.variables: dict[str, Value | Array] = {
            "FS": b" ", "OFS": b" ", "ORS": b"\n", "RS": b"\n", "SUBSEP": b"\x1c",
            "CONVFMT": b"%.6g", "OFMT": b"%.6g", "NF": 0.0, "NR": 0.0, "FNR": 0.0, "FILENAME": NOTHING,
            "RSTART": 0.0, "RLENGTH": -1.0,
        }
        # fmt: on
        self.variables["ENVIRON"] = {
            octets(name): Input(octets(value)) for name, value in process.env.items()
        }
        self._record = b""
        self._fields: list[bytes] | None = []
        self._stale = False
        self._input: Records | None = None
        self._next_argument = 1
        self._read_something = False
        self._readers: dict[bytes, Records] = {}
        self._writers: dict[bytes, Stream] = {}
        self._commands: dict[bytes, list[bytes]] = {}

    def expression(self, source: bytes) -> Pattern:
        """The compiled ERE. Raises UsageError."""
        found = self._expressions.get(source)
        if found is None:
            try:
                found = compiled(source, extended=True, check=self.process.machine.check)
            except RegexError as error:
                raise UsageError(f"bad regex '{words(source)}': {error}") from error
            if len(self._expressions) >= _MOST_EXPRESSIONS:
                self._expressions.clear()
            self._expressions[source] = found
        return found

    # -- variables

    def text(self, name: str) -> bytes:
        """A variable as a string."""
        value = self.variables.get(name, NOTHING)
        return b"" if isinstance(value, dict) else string(value)

    def assign(self, name: str, value: Value) -> None:
        """Set a variable; NF cuts or extends the record."""
        if isinstance(self.variables.get(name), dict):
            raise UsageError(f"{name}: an array cannot be used as a variable")
        self.variables[name] = value
        if name == "NF":
            count = self._checked(int(number(value)))
            parts = self.split_record()
            self._fields = (parts + [b""] * count)[:count]
            self._stale = True

    def array(self, name: str) -> Array:
        """An array by name, made if there is none."""
        value = self.variables.setdefault(name, {})
        if not isinstance(value, dict):
            if value != b"":
                raise UsageError(f"{name}: a variable cannot be used as an array")
            value = {}
            self.variables[name] = value
        return value

    def element(self, array: Array, key: bytes) -> Value:
        """An element of an array, made if there is none."""
        found = array.get(key)
        if found is None:
            self.store(array, key, NOTHING)
            return NOTHING
        return found

    def store(self, array: Array, key: bytes, value: Value) -> None:
        """Set an element of an array; LimitError when all arrays together hold too much."""
        old = array.get(key)
        if old is None:
            self._held += _ELEMENT_BYTES + len(key)
        self._held += _size(value) - _size(old)
        self.account_memory(self._held)
        array[key] = value

    def remove(self, array: Array, key: bytes) -> None:
        """Take an element out of an array, if it is there."""
        old = array.pop(key, None)
        if old is not None:
            self._held -= _ELEMENT_BYTES + len(key) + _size(old)

    def clear(self, array: Array) -> None:
        """Take all elements out of an array."""
        for key in list(array):
            self.remove(array, key)

    # -- the record

    def set_record(self, record: bytes) -> None:
        """Make ``record`` the new ``$0``; it is split when a field is asked for."""
        self._record, self._fields, self._stale = Input(record), None, False

    def split_record(self) -> list[bytes]:
        """The fields of the record."""
        if self._fields is None:
            separator = self.text("FS")
            paragraphs = self.text("RS") == b""
            self._fields = fields(self._record, *self.separator(separator), paragraphs=paragraphs)
            self.variables["NF"] = float(len(self._fields))
        return self._fields

    def separator(self, text: bytes) -> tuple[bytes, Pattern | None]:
        """A field separator: one character stands for itself, more are an expression."""
        return text, self.expression(text) if len(text) > 1 else None

    def field(self, index: int) -> Value:
        """``$index``."""
        if index < 0:
            raise UsageError("access to negative field")
        if index == 0:
            if self._stale:
                self._record = Input(self.text("OFS").join(self.split_record()))
                self._stale = False
            return self._record
        parts = self.split_record()
        return parts[index - 1] if index <= len(parts) else NOTHING

    def set_field(self, index: int, value: Value) -> None:
        """Assign to ``$index``."""
        if index == 0:
            self.set_record(string(value, self.text("CONVFMT")))
            return
        parts = self.split_record()
        parts += [b""] * (self._checked(index) - len(parts))
        text = string(value, self.text("CONVFMT"))
        parts[index - 1] = Input(text) if isinstance(value, Input) else text
        self.variables["NF"] = float(len(parts))
        self._stale = True

    def _checked(self, index: int) -> int:
        if not 0 <= index <= _FIELDS_LIMIT:
            raise UsageError(f"a record of {index} fields cannot be made")
        return index

    # -- input

    def next_record(self) -> bytes | None:
        """The next record of the files that ARGV names, or of descriptor 0; None at the end."""
        while True:
            if self._input is None and not self._open_next():
                return None
            assert self._input is not None, "just opened"
            record = self.read(self._input)
            if record is not None:
                for name in ("NR", "FNR"):
                    value = self.variables[name]
                    self.variables[name] = number(value if not isinstance(value, dict) else 0.0) + 1
                return record
            self.skip_file()

    def skip_file(self) -> None:
        """Give up the current file."""
        if self._input is not None:
            self._input.close()
        self._input = None

    def read(self, records: Records) -> bytes | None:
        """The next record of a stream, by RS."""
        separator = self.text("RS")
        return records.next(
            separator[:1] if len(separator) == 1 else separator,
            self.expression(separator) if len(separator) > 1 else None,
        )

    def _open_next(self) -> bool:
        arguments = self.array("ARGV")
        while self._next_argument < int(number(self._scalar("ARGC"))):
            argument = string(arguments.get(b"%d" % self._next_argument, b""))
            self._next_argument += 1
            if not argument or self._assigned(argument):
                continue
            self._read_something = True
            name = words(argument)
            try:
                self._begin(open_input(self.process, name), argument)
                return True
            except OSError as error:
                raise UsageError(f"{name}: {reason(error)}") from error
        if self._read_something:
            return False
        self._read_something = True
        self._begin(self.process.stdin, b"")
        return True

    def _scalar(self, name: str) -> Value:
        value = self.variables.get(name, NOTHING)
        return NOTHING if isinstance(value, dict) else value

    def _begin(self, stream: Stream, name: bytes) -> None:
        self._input = Records(stream, self.account_memory)
        self.variables["FILENAME"] = name
        self.variables["FNR"] = 0.0

    def _assigned(self, argument: bytes) -> bool:
        """Whether the operand is an assignment; it is made then."""
        name, equals, value = argument.partition(b"=")
        if not (equals and words(name).isidentifier()):
            return False
        self.assign(words(name), Input(unescaped(value.decode("latin-1"))))
        return True

    def reader(self, name: bytes, *, command: bool) -> Records | None:
        """The open file (or the output of the command) that getline reads; None if it cannot be opened."""
        if name not in self._readers:
            if command:
                self._readers[name] = Records(opened(ByteSource(self._output_of(name))), self.account_memory)
            else:
                try:
                    self._readers[name] = Records(open_input(self.process, words(name)), self.account_memory)
                except OSError:
                    return None
        return self._readers[name]

    def _shell(self, command: bytes, fds: dict[int, Stream]) -> int:
        self.out.flush()
        return self.process.spawn(["sh", "-c", words(command)], fds={**self.process.fds, **fds})

    def _output_of(self, command: bytes) -> bytes:
        collector = Collector(self.process.machine.account_captured)
        self._shell(command, {1: opened(collector)})
        return b"".join(collector.pieces)

    def system(self, command: bytes) -> int:
        """Run a command; its status."""
        self.flush()
        return self._shell(command, {})

    # -- output

    def write(self, data: bytes, redirect: str, target: bytes) -> None:
        """Print to descriptor 1, a file, or what will be the input of a command."""
        if not redirect or target == b"/dev/stdout":
            self.out.write(data)
        elif redirect == "|":
            self._commands.setdefault(target, []).append(data)
            self._held += len(data) + _ELEMENT_BYTES
            self.account_memory(self._held)
        elif target == b"/dev/stderr":
            self.out.flush()
            self.process.stderr.write(data)
        else:
            if target not in self._writers:
                self._writers[target] = create(self.process, words(target), append=redirect == ">>")
            self._writers[target].write(data)

    def flush(self) -> None:
        """Hand on what was printed."""
        self.out.flush()

    def close(self, name: bytes) -> int:
        """Close a file or end a command; -1 if there is none of that name."""
        status = -1
        if name in self._readers:
            self._readers.pop(name).close()
            status = 0
        if name in self._writers:
            self._writers.pop(name).close()
            status = 0
        if name in self._commands:
            pieces = self._commands.pop(name)
            content = b"".join(pieces)
            self._held -= len(content) + len(pieces) * _ELEMENT_BYTES
            status = self._shell(name, {0: opened(ByteSource(content))})
        return status

    def finish(self) -> None:
        """Close everything."""
        for name in (*self._readers, *self._writers, *self._commands):
            self.close(name)


def _size(value: Value | None) -> int:
    return len(value) if isinstance(value, bytes) else 0


def joined(parts: Sequence[Value], state: State) -> bytes:
    """The key of an array element: the subscripts, with SUBSEP between them."""
    conversion = state.text("CONVFMT")
    return state.text("SUBSEP").join(string(part, conversion) for part in parts)
