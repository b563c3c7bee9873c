"""Compiling initialisers (ISO C 6.7.9): braces, strings and designated members."""

from __future__ import annotations

from typing import TypeAlias

from builder.world.programs.cc.ctype import CType, Record, array_of, size_of
from builder.world.programs.cc.expressions import ExpressionCompiler
from builder.world.programs.cc.machine import Load
from builder.world.programs.cc.tokens import CompileError, text_of

Store: TypeAlias = tuple[int, CType, Load]
"""One thing to put into an object: its offset, its type and its value."""


class InitializerCompiler(ExpressionCompiler):
    """Reads what stands behind ``=`` in a declaration, as a list of stores."""

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
