"""What names mean while a source is compiled, and what the compiled unit holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from builder.world.programs.cc.ctype import INT, CType, decayed, size_of, wrap
from builder.world.programs.cc.machine import Function, Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token


class Expr(NamedTuple):
    """An expression: its type, how to compute it, where it lies if it is an object, its value if constant."""

    type: CType
    load: Load
    address: Load | None = None
    constant: int | None = None


class Name(NamedTuple):
    """What an identifier refers to: a local (offset), a symbol of the program, a constant or a type."""

    type: CType
    offset: int | None = None
    symbol: str | None = None
    constant: int | None = None
    is_type: bool = False


class Global(NamedTuple):
    """An object with static storage: its symbol, its size and how it is filled when the program starts."""

    symbol: str
    size: int
    fill: Callable[[Machine, int], None] | None


@dataclass(slots=True)
class CompiledUnit:
    """One translation unit, ready to be put into a machine."""

    name: str
    functions: dict[str, Function] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    used: dict[str, Token] = field(default_factory=dict)
    used_by: dict[str, str] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    warnings: list[str] = field(default_factory=list)

    @property
    def defines(self) -> list[str]:
        """The symbols that other units may use, sorted."""
        return sorted({*self.functions, *self.globals} - self.private)

    @property
    def needs(self) -> list[str]:
        """The symbols that must come from elsewhere, sorted."""
        return sorted(set(self.used) - set(self.functions) - set(self.globals))


class TokenReader:
    """A position in a list of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._index = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._index]

    def peek(self, distance: int = 1) -> Token:
        """A later token."""
        return self._tokens[min(self._index + distance, len(self._tokens) - 1)]

    def behind(self, distance: int = 1) -> Token:
        """A token that was read before."""
        return self._tokens[max(self._index - distance, 0)]

    def advance(self) -> Token:
        """The next token, which is then behind us."""
        token = self._tokens[self._index]
        if token.kind != "end":
            self._index += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or words."""
        token = self._tokens[self._index]
        return token.text in texts and token.kind in ("sign", "name")

    def accept(self, text: str) -> bool:
        """Whether the next token was ``text``; then it is behind us."""
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, described: str = "") -> Token:
        """The next token, which must be ``text``; ``described``: how a message names what is missing."""
        if self.at(text):
            return self.advance()
        previous = self._tokens[max(self._index - 1, 0)]
        found = self.token
        where = f"{previous.file}:{previous.line}:{previous.column + len(previous.text)}"
        if found.kind == "end":
            raise CompileError(f"expected {described or repr(text)} at end of input", where)
        what = {"number": "numeric constant", "string": "string constant"}.get(
            found.kind, f"'{found.text}' token"
        )
        if found.kind == "name":
            what = f"'{found.text}'"
        raise CompileError(f"expected {described or repr(text)} before {what}", where)


def constant(value: int, ctype: CType = INT) -> Expr:
    """An expression whose value is known."""
    wrapped = wrap(value, ctype)
    return Expr(ctype, lambda _machine: wrapped, constant=wrapped)


def at_address(ctype: CType, address: Load) -> Expr:
    """The object of ``ctype`` at ``address``; an array, record or function is its address."""
    if ctype.kind in ("array", "function"):
        return Expr(decayed(ctype) if ctype.kind == "function" else ctype, address, address)
    if ctype.kind == "record":
        return Expr(ctype, address, address)
    size, is_signed = size_of(ctype), ctype.signed

    def load(machine: Machine) -> int:
        place = address(machine)
        if place < 4096 or place + size > len(machine.memory):
            machine.check(place, size)
        return int.from_bytes(machine.memory[place : place + size], "little", signed=is_signed)

    return Expr(ctype, load, address)


def store(machine: Machine, address: int, value: int, ctype: CType) -> None:
    """Put ``value`` into the object at ``address``; a record's value is the address to copy from."""
    size = size_of(ctype)
    if ctype.kind == "record":
        machine.write(address, machine.read(value, size))
        return
    machine.check(address, size)
    machine.memory[address : address + size] = (value & ((1 << size * 8) - 1)).to_bytes(size, "little")
