"""Compiling expressions (ISO C 6.5): each becomes a function from the machine to its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.programs.cc.compiler.declarations import type_name
from builder.world.programs.cc.compiler.operands import call, member, primary
from builder.world.programs.cc.compiler.operators import LEVELS, binary, followed
from builder.world.programs.cc.compiler.scope import Expr, at_address, constant, store
from builder.world.programs.cc.compiler.state import Compilation
from builder.world.programs.cc.ctype import (
    INT,
    UNSIGNED_LONG,
    CType,
    common,
    decayed,
    pointer_to,
    size_of,
    wrap,
)
from builder.world.programs.cc.machine import Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token

_ASSIGNMENTS: Final = ("=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>=")
MAX_NESTING: Final = 60
_TYPE_WORDS: Final = frozenset(
    [
        "void",
        "char",
        "short",
        "int",
        "long",
        "signed",
        "unsigned",
        "_Bool",
        "float",
        "double",
        "const",
        "volatile",
        "struct",
        "union",
        "enum",
    ]
)


def expression(code: Compilation) -> Expr:
    """An expression with commas."""
    result = assignment(code)
    while code.accept(","):
        right = assignment(code)
        result = Expr(right.type, _second(result.load, right.load))
    return result


def _second(left: Load, right: Load) -> Load:
    return followed(left, lambda _value, machine: right(machine))


def constant_value(code: Compilation) -> int:
    """The value of a constant expression, which comes next."""
    token = code.token
    value = conditional(code).constant
    if value is None:
        raise CompileError("expression is not an integer constant", token.where)
    return value


def assignment(code: Compilation) -> Expr:
    """An assignment, or an expression without one."""
    left = conditional(code)
    if not code.at(*_ASSIGNMENTS):
        return left
    sign = code.advance()
    if left.address is None or left.type.kind in ("array", "function"):
        raise CompileError("lvalue required as left operand of assignment", sign.where)
    right = assignment(code)
    if sign.text == "=":
        return _assign(left.type, left.address, right)
    return _update(code, left, sign, right, gives_old=False)


def _assign(ctype: CType, address: Load, right: Expr) -> Expr:
    """An expression that stores ``right`` in the object at ``address``."""
    load = right.load

    def run(machine: Machine) -> int:
        value = wrap(load(machine), ctype)
        store(machine, address(machine), value, ctype)
        return value

    return Expr(ctype, run)


def _update(code: Compilation, left: Expr, sign: Token, right: Expr, *, gives_old: bool) -> Expr:
    address = left.address
    if address is None:
        raise CompileError(f"lvalue required as operand of '{sign.text}'", sign.where)
    place = 0
    held = at_address(left.type, lambda _machine: place)
    combined = binary(code, sign._replace(text=sign.text.rstrip("=")), held, right)
    ctype = left.type

    def run(machine: Machine) -> int:
        nonlocal place
        here = place = address(machine)
        old = held.load(machine)
        place = here
        new = wrap(combined.load(machine), ctype)
        store(machine, here, new, ctype)
        return old if gives_old else new

    return Expr(ctype, run)


def conditional(code: Compilation) -> Expr:
    """An expression with ``? :``."""
    code.nesting += 1
    if code.nesting > MAX_NESTING:
        raise CompileError("not simulated: expressions nested this deep", code.token.where)
    test = _level(code, 0)
    if code.accept("?"):
        first = expression(code)
        code.expect(":")
        second = conditional(code)
        ctype = first.type if first.type.kind in ("pointer", "record", "void", "array") else second.type
        one, yes, no = test.load, first.load, second.load
        known = None
        if test.constant is not None:
            known = first.constant if test.constant else second.constant
        test = Expr(decayed(ctype), lambda m: yes(m) if one(m) else no(m), constant=known)
    code.nesting -= 1
    return test


def _level(code: Compilation, level: int) -> Expr:
    if level == len(LEVELS):
        return unary(code)
    left = _level(code, level + 1)
    while code.at(*LEVELS[level]):
        sign = code.advance()
        left = binary(code, sign, left, _level(code, level + 1))
    return left


def unary(code: Compilation) -> Expr:
    """A cast, a prefix operator, or a postfix expression."""
    token = code.token
    if token.kind != "sign":
        return _sizeof(code) if code.at("sizeof") else _postfix(code, primary(code))
    if code.at("++", "--"):
        sign = code.advance()
        return _update(
            code, unary(code), sign._replace(text=sign.text[0] + "="), constant(1), gives_old=False
        )
    if code.at("("):
        following = code.peek()
        known = code.find(following.text) if following.kind == "name" else None
        if following.text in _TYPE_WORDS or (known is not None and known.is_type):
            return _cast(code)
    elif code.at("&", "*", "+", "-", "!", "~"):
        return _prefix(code, code.advance())
    return _postfix(code, primary(code))


def _cast(code: Compilation) -> Expr:
    code.expect("(")
    ctype = type_name(code)
    code.expect(")")
    inner = unary(code)
    load = inner.load
    known = None if inner.constant is None else wrap(inner.constant, ctype)
    return Expr(ctype, lambda m: wrap(load(m), ctype), constant=known)


def _sizeof(code: Compilation) -> Expr:
    code.advance()
    if code.at("("):
        following = code.peek()
        known = code.find(following.text) if following.kind == "name" else None
        if following.text in _TYPE_WORDS or (known is not None and known.is_type):
            code.advance()
            ctype = type_name(code)
            code.expect(")")
            return constant(size_of(ctype), UNSIGNED_LONG)
    return constant(size_of(unary(code).type), UNSIGNED_LONG)


def _prefix(code: Compilation, sign: Token) -> Expr:
    inner = unary(code)
    load = inner.load
    match sign.text:
        case "&":
            if inner.address is None:
                raise CompileError("lvalue required as unary '&' operand", sign.where)
            target = inner.type
            is_function = (
                target.kind == "pointer" and target.target is not None and target.target.kind == "function"
            )
            return Expr(target if is_function else pointer_to(target), inner.address)
        case "*":
            ctype = decayed(inner.type)
            if ctype.target is None:
                raise CompileError("invalid type argument of unary '*'", sign.where)
            if ctype.target.kind == "void":
                raise CompileError("void value not ignored as it ought to be", sign.where)
            return at_address(ctype.target, load)
        case "!":
            known = None if inner.constant is None else int(not inner.constant)
            return Expr(INT, lambda m: int(not load(m)), constant=known)
    result = common(inner.type, INT)
    operation: Callable[[int], int] = {
        "-": lambda value: -value,
        "~": lambda value: ~value,
        "+": lambda value: value,
    }[sign.text]
    known = None if inner.constant is None else wrap(operation(inner.constant), result)
    return Expr(result, lambda m: wrap(operation(load(m)), result), constant=known)


def _postfix(code: Compilation, left: Expr) -> Expr:
    while code.at("[", "(", ".", "->", "++", "--"):
        sign = code.advance()
        match sign.text:
            case "[":
                index = expression(code)
                code.expect("]")
                whole = binary(code, sign._replace(text="+"), left, index)
                if whole.type.kind != "pointer" or whole.type.target is None:
                    raise CompileError("subscripted value is neither array nor pointer", sign.where)
                left = at_address(whole.type.target, whole.load)
            case "(":
                left = call(code, left, sign)
            case "." | "->":
                left = member(code, left, sign)
            case _:
                left = _update(
                    code, left, sign._replace(text=sign.text[0] + "="), constant(1), gives_old=True
                )
    return left
