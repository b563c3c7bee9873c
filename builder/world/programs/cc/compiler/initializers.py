"""Compiling objects and their initialisers (ISO C 6.7.9): braces, strings and designated members."""

from __future__ import annotations

from typing import TypeAlias

from builder.world.programs.cc.compiler.control import GOES_ON, Statement
from builder.world.programs.cc.compiler.expressions import ExpressionCompiler
from builder.world.programs.cc.compiler.scope import Global, Name, store
from builder.world.programs.cc.ctype import CType, Record, array_of, size_of
from builder.world.programs.cc.machine import Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token, text_of

Store: TypeAlias = tuple[int, CType, Load]
"""One thing to put into an object: its offset, its type and its value."""


class ObjectCompiler(ExpressionCompiler):
    """Reads what stands behind ``=`` in a declaration, as a list of stores, and places objects."""

    has_initializer = False

    def initializer(self, ctype: CType, offset: int, stores: list[Store]) -> CType:
        """Read an initialiser for the object at ``offset``; the type, with its length now known."""
        if ctype.kind == "array" and ctype.target is not None:
            if self.token.kind == "string" and ctype.target.size == 1:
                return self._text(ctype, offset, stores)
            if self.at("{"):
                return self._elements(ctype, ctype.target, offset, stores)
        if isinstance(ctype, Record) and self.at("{"):
            self._record_members(ctype, offset, stores)
            return ctype
        is_braced = self.accept("{")
        expression = self.assignment()
        stores.append((offset, ctype, expression.load))
        if is_braced:
            self.accept(",")
            self.expect("}")
        return ctype

    def _text(self, ctype: CType, offset: int, stores: list[Store]) -> CType:
        text = b""
        while self.token.kind == "string":
            text += text_of(self.advance().text)
        text += b"\0"
        target = ctype.target
        assert target is not None
        whole = ctype if ctype.length >= 0 else array_of(target, len(text))
        for index, byte in enumerate(text[: whole.length]):
            stores.append((offset + index, target, lambda _machine, byte=byte: byte))  # type: ignore[misc]
        return whole

    def _elements(self, ctype: CType, target: CType, offset: int, stores: list[Store]) -> CType:
        self.expect("{")
        count = 0
        while not self.at("}"):
            if 0 <= ctype.length <= count:
                raise CompileError("excess elements in array initializer", self.token.where)
            self.initializer(target, offset + count * size_of(target), stores)
            count += 1
            if not self.accept(","):
                break
        self.expect("}")
        return ctype if ctype.length >= 0 else array_of(target, count)

    def _record_members(self, ctype: Record, offset: int, stores: list[Store]) -> None:
        self.expect("{")
        names = list(ctype.fields.places)
        index = 0
        while not self.at("}"):
            if self.accept("."):
                token = self.name_token()
                if token.text not in names:
                    raise CompileError(f"unknown field '{token.text}' specified in initializer", token.where)
                index = names.index(token.text)
                self.expect("=")
            if index >= len(names):
                raise CompileError("excess elements in struct initializer", self.token.where)
            place, kind = ctype.fields.places[names[index]]
            self.initializer(kind, offset + place, stores)
            index += 1
            if not self.accept(","):
                break
        self.expect("}")

    def static_object(self, token: Token, name: str, ctype: CType, storage: str) -> None:
        """Read the initialiser of an object with static storage, and declare the object."""
        local = len(self.scopes) > 1
        is_private = storage == "static" or (local and storage != "extern")
        symbol = f"{self.unit.name}\0{name} {len(self.unit.globals)}" if is_private else name
        if storage == "extern" and not self.at("="):
            self.scopes[-1].setdefault(name, Name(ctype, symbol=name))
            return
        known = self.scopes[0].get(name)
        if not local and known is not None and known.symbol in self.unit.globals and not self.at("="):
            return
        if not local and known is not None and known.symbol is not None and "\0" in known.symbol:
            symbol = known.symbol
        self.scopes[-1][name] = Name(ctype, symbol=symbol)
        stores: list[Store] = []
        self.has_initializer = self.at("=")
        if self.accept("="):
            ctype = self.initializer(ctype, 0, stores)
            self.scopes[-1][name] = Name(ctype, symbol=symbol)
        self.complete(ctype, token)

        def fill(machine: Machine, address: int) -> None:
            for offset, kind, load in stores:
                store(machine, address + offset, load(machine), kind)

        self.unit.globals[symbol] = Global(symbol, size_of(ctype), fill)
        if is_private:
            self.unit.private.add(symbol)

    def end_declaration(self) -> None:
        """The semicolon of a declaration; without it, what gcc expects instead."""
        if self.has_initializer:
            self.expect(";", "',' or ';'")
        else:
            self.expect(";", "'=', ',', ';', 'asm' or '__attribute__'")

    def local_object(self, token: Token, name: str, ctype: CType) -> Statement:
        """Declare an object in the frame; the statement that fills it."""
        stores: list[Store] = []
        self.has_initializer = self.at("=")
        if not self.at("="):
            self.complete(ctype, token)
            self.scopes[-1][name] = Name(ctype, offset=self.place(ctype))
            return lambda _machine: GOES_ON
        self.advance()
        if ctype.kind == "array" and ctype.length < 0:
            ctype = self.initializer(ctype, 0, stores)
            offset = self.place(ctype)
            self.scopes[-1][name] = Name(ctype, offset=offset)
        else:
            self.complete(ctype, token)
            offset = self.place(ctype)
            self.scopes[-1][name] = Name(ctype, offset=offset)
            self.initializer(ctype, 0, stores)
        size, is_aggregate = size_of(ctype), ctype.kind in ("array", "record") and len(stores) != 1

        def fill(machine: Machine) -> int:
            address = machine.frame + offset
            if is_aggregate:
                machine.write(address, bytes(size))
            for place, kind, load in stores:
                store(machine, address + place, load(machine), kind)
            return GOES_ON

        return fill
