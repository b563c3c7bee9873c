"""Compiling what operators work on: literals, names, members and calls (ISO C 6.5.1, 6.5.2)."""

from __future__ import annotations

from builder.world.programs.cc.compiler.declarations import name_token
from builder.world.programs.cc.compiler.scope import Expr, Global, Name, at_address, constant
from builder.world.programs.cc.compiler.state import Compilation
from builder.world.programs.cc.ctype import (
    CHAR,
    INT,
    LONG,
    VOID,
    CType,
    Record,
    array_of,
    decayed,
    size_of,
    wrap,
)
from builder.world.programs.cc.machine import Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token, number_of, text_of


def primary(code: Compilation) -> Expr:
    """A literal, a name, or an expression in parentheses."""
    token = code.advance()
    if token.kind == "number":
        value = number_of(token)
        return constant(value, INT if value < 1 << 31 and "l" not in token.text.lower() else LONG)
    if token.kind == "char":
        return constant(text_of(token.text)[-1])
    if token.kind == "string":
        return _string(code, token)
    if token.text == "(" and token.kind == "sign":
        inner = code.expression()
        code.expect(")")
        return inner
    if token.kind == "name":
        return _named(code, token)
    raise CompileError(f"expected expression before '{token.text}' token", token.where)


def _string(code: Compilation, token: Token) -> Expr:
    text = text_of(token.text)
    while code.token.kind == "string":
        text += text_of(code.advance().text)
    symbol = f"{code.unit.name}\0string {len(code.unit.globals)}"
    content = text + b"\0"
    code.unit.globals[symbol] = Global(symbol, len(content), lambda m, place: m.write(place, content))
    code.unit.private.add(symbol)
    return at_address(array_of(CHAR, len(content)), lambda m: m.symbols[symbol])


def _named(code: Compilation, token: Token) -> Expr:
    known = code.find(token.text)
    if known is None and code.at("("):
        code.unit.warnings.append(
            f"{token.where}: warning: implicit declaration of function '{token.text}' "
            "[-Wimplicit-function-declaration]"
        )
        known = Name(CType("function", 8, target=INT, variadic=True), symbol=token.text)
        code.scopes[0][token.text] = known
    if known is None:
        raise CompileError(f"'{token.text}' undeclared (first use in this function)", token.where)
    if known.is_type:
        raise CompileError(f"expected expression before '{token.text}'", token.where)
    if known.constant is not None:
        return constant(known.constant)
    if known.offset is not None:
        offset = known.offset
        return at_address(known.type, lambda m: m.frame + offset)
    symbol = known.symbol or token.text
    code.unit.used.setdefault(symbol, token)
    code.unit.used_by.setdefault(symbol, code.function)
    return at_address(known.type, lambda m: m.symbols[symbol])


def member(code: Compilation, left: Expr, sign: Token) -> Expr:
    """The member that stands behind ``.`` or ``->``."""
    record = decayed(left.type).target if sign.text == "->" else left.type
    name = name_token(code)
    if not isinstance(record, Record):
        raise CompileError(
            f"request for member '{name.text}' in something not a structure or union", name.where
        )
    if name.text not in record.fields.places:
        raise CompileError(f"'struct {record.fields.tag}' has no member named '{name.text}'", name.where)
    offset, ctype = record.fields.places[name.text]
    load = left.load
    return at_address(ctype, lambda m: load(m) + offset)


def call(code: Compilation, left: Expr, sign: Token) -> Expr:
    """A call of ``left``, whose opening parenthesis has been read."""
    ctype = left.type if left.type.kind == "function" else left.type.target
    if ctype is None or ctype.kind != "function":
        raise CompileError("called object is not a function or function pointer", sign.where)
    arguments: list[Load] = []
    name = code.behind(2)
    while not code.at(")"):
        argument = code.assignment()
        arguments.append(argument.load)
        if not code.accept(","):
            break
    code.expect(")")
    wanted = len(ctype.parameters)
    if len(arguments) < wanted or (len(arguments) > wanted and wanted and not ctype.variadic):
        few = "few" if len(arguments) < wanted else "many"
        what = f" '{name.text}'" if name.kind == "name" else ""
        raise CompileError(f"too {few} arguments to function{what}", name.where)
    function, result = left.load, ctype.target or VOID

    def run(machine: Machine) -> int:
        return wrap(machine.call(function(machine), [load(machine) for load in arguments]), result)

    if result.kind != "record":
        return Expr(result, run)
    # The record lies in a frame that the next call reuses, so it moves into this one at once.
    offset, size = code.place(result), size_of(result)

    def keep(machine: Machine) -> int:
        machine.write(machine.frame + offset, machine.read(run(machine), size))
        return machine.frame + offset

    return Expr(result, keep, keep)
