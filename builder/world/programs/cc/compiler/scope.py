"""What names mean while a source is compiled, and what the compiled unit holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from builder.world.programs.cc.ctype import INT, CType, decayed, size_of, wrap
from builder.world.programs.cc.machine import Function, Load, Machine
from builder.world.programs.cc.source.tokens import Token


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
