"""Compiling statements, initialisers and whole translation units (ISO C 6.8, 6.7.9, 6.9)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.programs.cc.compiler.control import (
    BREAKS,
    CONTINUES,
    GOES_ON,
    RETURNS,
    Statement,
    loop,
    sequence,
)
from builder.world.programs.cc.compiler.initializers import ObjectCompiler
from builder.world.programs.cc.compiler.scope import CompiledUnit, Name
from builder.world.programs.cc.ctype import CType, size_of
from builder.world.programs.cc.machine import Function, Load, Machine, Parameter
from builder.world.programs.cc.source.tokens import CompileError, Token, tokenize


def compile_unit(source: str, name: str) -> CompiledUnit:
    """The compiled form of preprocessed ``source``; CompileError at its first mistake."""
    compiler = UnitCompiler(tokenize(source, name), CompiledUnit(name))
    try:
        compiler.translation_unit()
    except RecursionError:
        raise CompileError("not simulated: code nested this deep", compiler.token.where) from None
    return compiler.unit


class UnitCompiler(ObjectCompiler):
    """Compiles one translation unit from its first token to its last."""

    def translation_unit(self) -> None:
        """Compile everything up to the end."""
        while self.token.kind != "end":
            if not self.accept(";"):
                self._external()

    def _external(self) -> None:
        specifiers = self.specifiers()
        if self.accept(";"):
            return
        while True:
            token, name, ctype = self.declarator(specifiers.type)
            if not name:
                raise CompileError(f"expected identifier or '(' before '{token.text}' token", token.where)
            if specifiers.storage == "typedef":
                self.scopes[-1][name] = Name(ctype, is_type=True)
            elif ctype.kind == "function":
                self._function(token, name, ctype, specifiers.storage)
                if self._ended:
                    return
            else:
                self.static_object(token, name, ctype, specifiers.storage)
            if not self.accept(","):
                break
        self.end_declaration()

    _ended = False

    def _function(self, token: Token, name: str, ctype: CType, storage: str) -> None:
        symbol = f"{self.unit.name}\0{name}" if storage == "static" else name
        known = self.scopes[0].get(name)
        if known is not None and known.symbol is not None and "\0" in known.symbol:
            symbol = known.symbol
        self.scopes[0][name] = Name(ctype, symbol=symbol)
        self._ended = self.at("{")
        if not self._ended:
            return
        if symbol in self.unit.functions:
            raise CompileError(f"redefinition of '{name}'", token.where)
        function = Function(name)
        self.unit.functions[symbol] = function
        if symbol != name:
            self.unit.private.add(symbol)
        self.function, self._frame, self._deepest = name, 0, 0
        self.open_scope()
        places = []
        for parameter, kind in ctype.parameters:
            offset = self.place(kind)
            places.append(Parameter(offset, size_of(kind), kind.kind == "record"))
            self.scopes[-1][parameter] = Name(kind, offset=offset)
        function.body = self._block()
        self.close_scope()
        function.parameters, function.frame_bytes = tuple(places), self._deepest
        self.function = ""

    def _block(self) -> Statement:
        self.expect("{")
        self.open_scope()
        frame = self._frame
        parts: list[Statement] = []
        while not self.at("}"):
            if self.token.kind == "end":
                raise CompileError("expected declaration or statement at end of input", self.token.where)
            parts.append(
                self._declaration() if self.at_type() and self.peek().text != ":" else self._statement()
            )
        self.expect("}")
        self.close_scope()
        self._frame = frame
        return sequence(parts)

    def _declaration(self) -> Statement:
        specifiers = self.specifiers()
        parts: list[Statement] = []
        while not self.at(";"):
            token, name, ctype = self.declarator(specifiers.type)
            if specifiers.storage == "typedef":
                self.scopes[-1][name] = Name(ctype, is_type=True)
            elif ctype.kind == "function":
                self.scopes[-1][name] = Name(ctype, symbol=name)
            elif specifiers.storage in ("static", "extern"):
                self.static_object(token, name, ctype, specifiers.storage)
            else:
                parts.append(self.local_object(token, name, ctype))
            if not self.accept(","):
                break
        self.end_declaration()
        return sequence(parts)

    def _statement(self) -> Statement:
        token = self.token
        if self.at("{"):
            return self._block()
        if self.accept(";"):
            return lambda _machine: GOES_ON
        if token.kind == "name":
            compile_it = _KEYWORDS.get(token.text)
            if compile_it is not None:
                self.advance()
                return compile_it(self)
            if token.text == "goto" or self.peek().text == ":":
                raise CompileError("not simulated: goto and labels", token.where)
        load = self.expression().load
        self.expect(";")

        def run(machine: Machine) -> int:
            load(machine)
            return GOES_ON

        return run

    def _condition(self) -> Load:
        self.expect("(")
        test = self.expression()
        self.expect(")")
        return test.load

    def _if(self) -> Statement:
        test = self._condition()
        yes = self._statement()
        no = self._statement() if self.accept("else") else None

        def run(machine: Machine) -> int:
            if test(machine):
                return yes(machine)
            return no(machine) if no is not None else GOES_ON

        return run

    def _while(self) -> Statement:
        return loop(self._condition(), self._statement(), None)

    def _do(self) -> Statement:
        body = self._statement()
        self.expect("while")
        test = self._condition()
        self.expect(";")
        again = loop(test, body, None)

        def run(machine: Machine) -> int:
            outcome = body(machine)
            if outcome in (BREAKS, RETURNS):
                return GOES_ON if outcome == BREAKS else RETURNS
            return again(machine)

        return run

    def _for(self) -> Statement:
        self.expect("(")
        self.open_scope()
        first: Statement | None = None
        if self.at_type():
            first = self._declaration()
        elif not self.accept(";"):
            load = self.expression().load
            first = lambda machine: load(machine) and GOES_ON  # noqa: E731
            self.expect(";")
        test = None if self.at(";") else self.expression().load
        self.expect(";")
        after = None if self.at(")") else self.expression().load
        self.expect(")")
        whole = loop(test, self._statement(), after)
        self.close_scope()
        return sequence([first, whole] if first is not None else [whole])

    def _switch(self) -> Statement:
        value = self._condition()
        self.expect("{")
        self.open_scope()
        places: dict[int | None, int] = {}
        parts: list[Statement] = []
        while not self.accept("}"):
            if self.accept("case"):
                places[self.constant_value()] = len(parts)
                self.expect(":")
            elif self.accept("default"):
                places[None] = len(parts)
                self.expect(":")
            else:
                parts.append(self._declaration() if self.at_type() else self._statement())
        self.close_scope()

        def run(machine: Machine) -> int:
            begin = places.get(value(machine), places.get(None, len(parts)))
            for part in parts[begin:]:
                outcome = part(machine)
                if outcome:
                    return GOES_ON if outcome == BREAKS else outcome
            return GOES_ON

        return run

    def _return(self) -> Statement:
        if self.accept(";"):
            return lambda _machine: RETURNS
        result = self.expression()
        self.expect(";")
        load = result.load

        def run(machine: Machine) -> int:
            machine.result = load(machine)
            return RETURNS

        return run

    def _jump(self, outcome: int) -> Statement:
        self.expect(";")
        return lambda _machine: outcome


_KEYWORDS: Final[dict[str, Callable[[UnitCompiler], Statement]]] = {
    "if": UnitCompiler._if,
    "while": UnitCompiler._while,
    "do": UnitCompiler._do,
    "for": UnitCompiler._for,
    "switch": UnitCompiler._switch,
    "return": UnitCompiler._return,
    "break": lambda compiler: compiler._jump(BREAKS),
    "continue": lambda compiler: compiler._jump(CONTINUES),
}
