"""Compiling objects and their initialisers (ISO C 6.7.9): braces, strings and designated members."""

from __future__ import annotations

from typing import TypeAlias

from builder.world.programs.cc.compiler.control import GOES_ON, Statement
from builder.world.programs.cc.compiler.declarations import complete, name_token
from builder.world.programs.cc.compiler.expressions import assignment
from builder.world.programs.cc.compiler.scope import Global, Name, store
from builder.world.programs.cc.compiler.state import Compilation
from builder.world.programs.cc.ctype import CType, Record, array_of, size_of
from builder.world.programs.cc.machine import Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token, text_of

Store: TypeAlias = tuple[int, CType, Load]
"""One thing to put into an object: its offset, its type and its value."""


def initializer(code: Compilation, ctype: CType, offset: int, stores: list[Store]) -> CType:
    """Read an initialiser for the object at ``offset``; the type, with its length now known."""
    if ctype.kind == "array" and ctype.target is not None:
        if code.token.kind == "string" and ctype.target.size == 1:
            return _text(code, ctype, offset, stores)
        if code.at("{"):
            return _elements(code, ctype, ctype.target, offset, stores)
    if isinstance(ctype, Record) and code.at("{"):
        _record_members(code, ctype, offset, stores)
        return ctype
    is_braced = code.accept("{")
    expression = assignment(code)
    stores.append((offset, ctype, expression.load))
    if is_braced:
        code.accept(",")
        code.expect("}")
    return ctype


def _text(code: Compilation, ctype: CType, offset: int, stores: list[Store]) -> CType:
    text = b""
    while code.token.kind == "string":
        text += text_of(code.advance().text)
    text += b"\0"
    target = ctype.target
    assert target is not None
    whole = ctype if ctype.length >= 0 else array_of(target, len(text))
    for index, byte in enumerate(text[: whole.length]):
        stores.append((offset + index, target, lambda _machine, byte=byte: byte))  # type: ignore[misc]
    return whole


def _elements(code: Compilation, ctype: CType, target: CType, offset: int, stores: list[Store]) -> CType:
    code.expect("{")
    count = 0
    while not code.at("}"):
        if 0 <= ctype.length <= count:
            raise CompileError("excess elements in array initializer", code.token.where)
        initializer(code, target, offset + count * size_of(target), stores)
        count += 1
        if not code.accept(","):
            break
    code.expect("}")
    return ctype if ctype.length >= 0 else array_of(target, count)


def _record_members(code: Compilation, ctype: Record, offset: int, stores: list[Store]) -> None:
    code.expect("{")
    names = list(ctype.fields.places)
    index = 0
    while not code.at("}"):
        if code.accept("."):
            token = name_token(code)
            if token.text not in names:
                raise CompileError(f"unknown field '{token.text}' specified in initializer", token.where)
            index = names.index(token.text)
            code.expect("=")
        if index >= len(names):
            raise CompileError("excess elements in struct initializer", code.token.where)
        place, kind = ctype.fields.places[names[index]]
        initializer(code, kind, offset + place, stores)
        index += 1
        if not code.accept(","):
            break
    code.expect("}")


def static_object(code: Compilation, token: Token, name: str, ctype: CType, storage: str) -> None:
    """Read the initialiser of an object with static storage, and declare the object."""
    local = len(code.scopes) > 1
    is_private = storage == "static" or (local and storage != "extern")
    symbol = f"{code.unit.name}\0{name} {len(code.unit.globals)}" if is_private else name
    if storage == "extern" and not code.at("="):
        code.scopes[-1].setdefault(name, Name(ctype, symbol=name))
        return
    known = code.scopes[0].get(name)
    if not local and known is not None and known.symbol in code.unit.globals and not code.at("="):
        return
    if not local and known is not None and known.symbol is not None and "\0" in known.symbol:
        symbol = known.symbol
    code.scopes[-1][name] = Name(ctype, symbol=symbol)
    stores: list[Store] = []
    code.has_initializer = code.at("=")
    if code.accept("="):
        ctype = initializer(code, ctype, 0, stores)
        code.scopes[-1][name] = Name(ctype, symbol=symbol)
    complete(ctype, token)

    def fill(machine: Machine, address: int) -> None:
        for offset, kind, load in stores:
            store(machine, address + offset, load(machine), kind)

    code.unit.globals[symbol] = Global(symbol, size_of(ctype), fill)
    if is_private:
        code.unit.private.add(symbol)


def end_declaration(code: Compilation) -> None:
    """The semicolon of a declaration; without it, what gcc expects instead."""
    if code.has_initializer:
        code.expect(";", "',' or ';'")
    else:
        code.expect(";", "'=', ',', ';', 'asm' or '__attribute__'")


def local_object(code: Compilation, token: Token, name: str, ctype: CType) -> Statement:
    """Declare an object in the frame; the statement that fills it."""
    stores: list[Store] = []
    code.has_initializer = code.at("=")
    if not code.at("="):
        complete(ctype, token)
        code.scopes[-1][name] = Name(ctype, offset=code.place(ctype))
        return lambda _machine: GOES_ON
    code.advance()
    if ctype.kind == "array" and ctype.length < 0:
        ctype = initializer(code, ctype, 0, stores)
        offset = code.place(ctype)
        code.scopes[-1][name] = Name(ctype, offset=offset)
    else:
        complete(ctype, token)
        offset = code.place(ctype)
        code.scopes[-1][name] = Name(ctype, offset=offset)
        initializer(code, ctype, 0, stores)
    size, is_aggregate = size_of(ctype), ctype.kind in ("array", "record") and len(stores) != 1

    def fill(machine: Machine) -> int:
        address = machine.frame + offset
        if is_aggregate:
            machine.write(address, bytes(size))
        for place, kind, load in stores:
            store(machine, address + place, load(machine), kind)
        return GOES_ON

    return fill
