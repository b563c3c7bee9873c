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
from builder.world.programs.cc.compiler.declarations import at_type, declarator, specifiers
from builder.world.programs.cc.compiler.expressions import assignment, constant_value, expression
from builder.world.programs.cc.compiler.initializers import end_declaration, local_object, static_object
from builder.world.programs.cc.compiler.scope import CompiledUnit, Name
from builder.world.programs.cc.compiler.state import Compilation
from builder.world.programs.cc.ctype import CType, size_of
from builder.world.programs.cc.machine import Function, Load, Machine, Parameter
from builder.world.programs.cc.source.tokens import CompileError, Token, tokenize


def compile_unit(source: str, name: str) -> CompiledUnit:
    """The compiled form of preprocessed ``source``; CompileError at its first mistake."""
    compiler = _Unit(tokenize(source, name), CompiledUnit(name))
    try:
        _translation_unit(compiler)
    except RecursionError:
        raise CompileError("not simulated: code nested this deep", compiler.token.where) from None
    return compiler.unit


class _Unit(Compilation):
    expression = expression
    assignment = assignment
    constant_value = constant_value


def _translation_unit(code: Compilation) -> None:
    """Compile everything up to the end."""
    while code.token.kind != "end":
        if not code.accept(";"):
            _external(code)


def _external(code: Compilation) -> None:
    storage, base = specifiers(code)
    if code.accept(";"):
        return
    while True:
        token, name, ctype = declarator(code, base)
        if not name:
            raise CompileError(f"expected identifier or '(' before '{token.text}' token", token.where)
        if storage == "typedef":
            code.scopes[-1][name] = Name(ctype, is_type=True)
        elif ctype.kind == "function":
            if _function(code, token, name, ctype, storage):
                return
        else:
            static_object(code, token, name, ctype, storage)
        if not code.accept(","):
            break
    end_declaration(code)


def _function(code: Compilation, token: Token, name: str, ctype: CType, storage: str) -> bool:
    """A declaration of a function, or its definition, which ends a declaration; whether it was one."""
    symbol = f"{code.unit.name}\0{name}" if storage == "static" else name
    known = code.scopes[0].get(name)
    if known is not None and known.symbol is not None and "\0" in known.symbol:
        symbol = known.symbol
    code.scopes[0][name] = Name(ctype, symbol=symbol)
    if not code.at("{"):
        return False
    if symbol in code.unit.functions:
        raise CompileError(f"redefinition of '{name}'", token.where)
    function = Function(name)
    code.unit.functions[symbol] = function
    if symbol != name:
        code.unit.private.add(symbol)
    code.function, code.frame, code.deepest = name, 0, 0
    code.open_scope()
    places = []
    for parameter, kind in ctype.parameters:
        offset = code.place(kind)
        places.append(Parameter(offset, size_of(kind), kind.kind == "record"))
        code.scopes[-1][parameter] = Name(kind, offset=offset)
    function.body = _block(code)
    code.close_scope()
    function.parameters, function.frame_bytes = tuple(places), code.deepest
    code.function = ""
    return True


def _block(code: Compilation) -> Statement:
    code.expect("{")
    code.open_scope()
    frame = code.frame
    parts: list[Statement] = []
    while not code.at("}"):
        if code.token.kind == "end":
            raise CompileError("expected declaration or statement at end of input", code.token.where)
        parts.append(_declaration(code) if at_type(code) and code.peek().text != ":" else _statement(code))
    code.expect("}")
    code.close_scope()
    code.frame = frame
    return sequence(parts)


def _declaration(code: Compilation) -> Statement:
    storage, base = specifiers(code)
    parts: list[Statement] = []
    while not code.at(";"):
        token, name, ctype = declarator(code, base)
        if storage == "typedef":
            code.scopes[-1][name] = Name(ctype, is_type=True)
        elif ctype.kind == "function":
            code.scopes[-1][name] = Name(ctype, symbol=name)
        elif storage in ("static", "extern"):
            static_object(code, token, name, ctype, storage)
        else:
            parts.append(local_object(code, token, name, ctype))
        if not code.accept(","):
            break
    end_declaration(code)
    return sequence(parts)


def _statement(code: Compilation) -> Statement:
    token = code.token
    if code.at("{"):
        return _block(code)
    if code.accept(";"):
        return lambda _machine: GOES_ON
    if token.kind == "name":
        compile_it = _KEYWORDS.get(token.text)
        if compile_it is not None:
            code.advance()
            return compile_it(code)
        if token.text == "goto" or code.peek().text == ":":
            raise CompileError("not simulated: goto and labels", token.where)
    load = expression(code).load
    code.expect(";")

    def run(machine: Machine) -> int:
        load(machine)
        return GOES_ON

    return run


def _condition(code: Compilation) -> Load:
    code.expect("(")
    test = expression(code)
    code.expect(")")
    return test.load


def _if(code: Compilation) -> Statement:
    test = _condition(code)
    yes = _statement(code)
    no = _statement(code) if code.accept("else") else None

    def run(machine: Machine) -> int:
        if test(machine):
            return yes(machine)
        return no(machine) if no is not None else GOES_ON

    return run


def _while(code: Compilation) -> Statement:
    return loop(_condition(code), _statement(code), None)


def _do(code: Compilation) -> Statement:
    body = _statement(code)
    code.expect("while")
    test = _condition(code)
    code.expect(";")
    again = loop(test, body, None)

    def run(machine: Machine) -> int:
        outcome = body(machine)
        if outcome in (BREAKS, RETURNS):
            return GOES_ON if outcome == BREAKS else RETURNS
        return again(machine)

    return run


def _for(code: Compilation) -> Statement:
    code.expect("(")
    code.open_scope()
    first: Statement | None = None
    if at_type(code):
        first = _declaration(code)
    elif not code.accept(";"):
        load = expression(code).load
        first = lambda machine: load(machine) and GOES_ON  # noqa: E731
        code.expect(";")
    test = None if code.at(";") else expression(code).load
    code.expect(";")
    after = None if code.at(")") else expression(code).load
    code.expect(")")
    whole = loop(test, _statement(code), after)
    code.close_scope()
    return sequence([first, whole] if first is not None else [whole])


def _switch(code: Compilation) -> Statement:
    value = _condition(code)
    code.expect("{")
    code.open_scope()
    places: dict[int | None, int] = {}
    parts: list[Statement] = []
    while not code.accept("}"):
        if code.accept("case"):
            places[constant_value(code)] = len(parts)
            code.expect(":")
        elif code.accept("default"):
            places[None] = len(parts)
            code.expect(":")
        else:
            parts.append(_declaration(code) if at_type(code) else _statement(code))
    code.close_scope()

    def run(machine: Machine) -> int:
        begin = places.get(value(machine), places.get(None, len(parts)))
        for part in parts[begin:]:
            outcome = part(machine)
            if outcome:
                return GOES_ON if outcome == BREAKS else outcome
        return GOES_ON

    return run


def _return(code: Compilation) -> Statement:
    if code.accept(";"):
        return lambda _machine: RETURNS
    result = expression(code)
    code.expect(";")
    load = result.load

    def run(machine: Machine) -> int:
        machine.result = load(machine)
        return RETURNS

    return run


def _jump(code: Compilation, outcome: int) -> Statement:
    code.expect(";")
    return lambda _machine: outcome


_KEYWORDS: Final[dict[str, Callable[[Compilation], Statement]]] = {
    "if": _if,
    "while": _while,
    "do": _do,
    "for": _for,
    "switch": _switch,
    "return": _return,
    "break": lambda code: _jump(code, BREAKS),
    "continue": lambda code: _jump(code, CONTINUES),
}
