"""The machine that compiled programs run on: flat memory, a stack, symbols and native functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from builder.world.machine.process import Process

MEMORY_LIMIT: Final = 16 * 1024 * 1024
STACK_BYTES: Final = 256 * 1024
FIRST_ADDRESS: Final = 4096
FUNCTION_BASE: Final = 0x7F0000000000
STEP_LIMIT: Final = 20_000_000

Native: TypeAlias = "Callable[[Machine, list[int]], int]"
Load: TypeAlias = "Callable[[Machine], int]"


class ProgramExit(Exception):
    """The program called exit(3)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Fault(Exception):
    """The program did what a kernel ends it for; ``signal`` as in signal(7)."""

    def __init__(self, what: str, signal: int = 11) -> None:
        super().__init__(what)
        self.signal = signal


class Parameter(NamedTuple):
    """Where a parameter lies in the frame; a record is given by address and copied."""

    offset: int
    size: int
    is_record: bool


@dataclass(slots=True)
class Function:
    """A function of the program: where its parameters lie in its frame, and its body."""

    name: str
    parameters: tuple[Parameter, ...] = ()
    frame_bytes: int = 0
    body: Callable[[Machine], int] = lambda _machine: 0


@dataclass(slots=True)
class Machine:
    """The state of one run. Addresses below 4096 are never valid."""

    process: Process
    natives: Mapping[str, Native]
    memory: bytearray = field(default_factory=lambda: bytearray(FIRST_ADDRESS + STACK_BYTES))
    frame: int = FIRST_ADDRESS
    stack: int = FIRST_ADDRESS
    result: int = 0
    steps: int = 0
    symbols: dict[str, int] = field(default_factory=dict)
    functions: list[Function | str] = field(default_factory=list)
    files: dict[int, object] = field(default_factory=dict)

    def allocate(self, size: int) -> int:
        """The address of ``size`` fresh zero bytes; Fault when memory is used up."""
        address = (len(self.memory) + 15) & ~15
        if size < 0 or address + size > MEMORY_LIMIT:
            raise Fault("out of memory", 9)
        self.memory.extend(b"\0" * (address - len(self.memory) + size))
        return address

    def check(self, address: int, size: int) -> None:
        """Fault unless ``size`` bytes at ``address`` exist."""
        if address < FIRST_ADDRESS or size < 0 or address + size > len(self.memory):
            raise Fault("Segmentation fault")

    def read(self, address: int, size: int) -> bytes:
        """The bytes at ``address``."""
        self.check(address, size)
        return bytes(self.memory[address : address + size])

    def write(self, address: int, data: bytes) -> None:
        """Put ``data`` at ``address``."""
        self.check(address, len(data))
        self.memory[address : address + len(data)] = data

    def text(self, address: int) -> bytes:
        """The string at ``address``, without its final zero."""
        self.check(address, 1)
        end = self.memory.find(b"\0", address)
        if end < 0:
            raise Fault("Segmentation fault")
        return bytes(self.memory[address:end])

    def new_text(self, text: bytes) -> int:
        """The address of a fresh copy of ``text`` with a final zero."""
        address = self.allocate(len(text) + 1)
        self.memory[address : address + len(text)] = text
        return address

    def step(self) -> None:
        """Count one turn of a loop or one call; Fault when a program seems never to end."""
        self.steps += 1
        if not self.steps & 0xFFF:
            self.process.machine.check()
        if self.steps > STEP_LIMIT:
            raise Fault("not simulated: programs of more than 20 million steps", 9)

    def call(self, address: int, arguments: list[int]) -> int:
        """Call the function at ``address``, native or compiled."""
        index = address - FUNCTION_BASE
        if not 0 <= index < len(self.functions):
            raise Fault("Segmentation fault")
        function = self.functions[index]
        self.step()
        if isinstance(function, str):
            native = self.natives.get(function)
            if native is None:
                raise Fault(f"not simulated: {function}()", 4)
            return native(self, arguments)
        return self._enter(function, arguments)

    def _enter(self, function: Function, arguments: list[int]) -> int:
        frame, stack = self.frame, self.stack
        end = stack + function.frame_bytes
        if end > FIRST_ADDRESS + STACK_BYTES:
            raise Fault("Segmentation fault")
        self.memory[stack:end] = bytes(function.frame_bytes)
        for (offset, size, is_record), value in zip(function.parameters, arguments, strict=False):
            place = stack + offset
            if is_record:
                self.memory[place : place + size] = self.read(value, size)
            else:
                self.memory[place : place + size] = (value & ((1 << size * 8) - 1)).to_bytes(size, "little")
        self.frame, self.stack = stack, (end + 15) & ~15
        self.result = 0
        try:
            function.body(self)
        except RecursionError:
            raise Fault("Segmentation fault") from None
        finally:
            self.frame, self.stack = frame, stack
        return self.result

    def add_function(self, name: str, function: Function | str) -> None:
        """Let ``name`` be a function with an address of its own."""
        self.symbols[name] = FUNCTION_BASE + len(self.functions)
        self.functions.append(function)
