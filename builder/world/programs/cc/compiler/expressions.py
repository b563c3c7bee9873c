"""Compiling expressions (ISO C 6.5): each becomes a function from the machine to its value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.programs.cc.compiler.operands import OperandCompiler
from builder.world.programs.cc.compiler.operators import LEVELS
from builder.world.programs.cc.compiler.scope import Expr, at_address, constant, store
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


class ExpressionCompiler(OperandCompiler):
    """Compiles expressions, from the comma down to what binds strongest."""

    _nesting = 0

    def expression(self) -> Expr:
        """An expression with commas."""
        result = self.assignment()
        while self.accept(","):
            left, right = result.load, self.assignment()
            result = Expr(right.type, lambda m, left=left, right=right.load: (left(m), right(m))[1])  # type: ignore[misc]
        return result

    def constant_value(self) -> int:
        """The value of a constant expression, which comes next."""
        token = self.token
        value = self.conditional().constant
        if value is None:
            raise CompileError("expression is not an integer constant", token.where)
        return value

    def assignment(self) -> Expr:
        """An assignment, or an expression without one."""
        left = self.conditional()
        if not self.at(*_ASSIGNMENTS):
            return left
        sign = self.advance()
        if left.address is None or left.type.kind in ("array", "function"):
            raise CompileError("lvalue required as left operand of assignment", sign.where)
        right = self.assignment()
        if sign.text == "=":
            return self.assign(left.type, left.address, right)
        return self._update(left, sign, right, gives_old=())

    def assign(self, ctype: CType, address: Load, right: Expr) -> Expr:
        """An expression that stores ``right`` in the object at ``address``."""
        load = right.load

        def run(machine: Machine) -> int:
            value = wrap(load(machine), ctype)
            store(machine, address(machine), value, ctype)
            return value

        return Expr(ctype, run)

    def _update(self, left: Expr, sign: Token, right: Expr, *, gives_old: tuple[()] | tuple[str]) -> Expr:
        address = left.address
        if address is None:
            raise CompileError(f"lvalue required as operand of '{sign.text}'", sign.where)
        place = 0
        held = at_address(left.type, lambda _machine: place)
        combined = self.binary(sign._replace(text=sign.text.rstrip("=")), held, right)
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

    def conditional(self) -> Expr:
        """An expression with ``? :``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise CompileError("not simulated: expressions nested this deep", self.token.where)
        test = self._level(0)
        if self.accept("?"):
            first = self.expression()
            self.expect(":")
            second = self.conditional()
            ctype = first.type if first.type.kind in ("pointer", "record", "void", "array") else second.type
            one, yes, no = test.load, first.load, second.load
            known = None
            if test.constant is not None:
                known = first.constant if test.constant else second.constant
            test = Expr(decayed(ctype), lambda m: yes(m) if one(m) else no(m), constant=known)
        self._nesting -= 1
        return test

    def _level(self, level: int) -> Expr:
        if level == len(LEVELS):
            return self.unary()
        left = self._level(level + 1)
        while self.at(*LEVELS[level]):
            sign = self.advance()
            left = self.binary(sign, left, self._level(level + 1))
        return left

    def unary(self) -> Expr:
        """A cast, a prefix operator, or a postfix expression."""
        token = self.token
        if token.kind != "sign":
            return self._sizeof() if self.at("sizeof") else self._postfix(self.primary())
        if self.at("++", "--"):
            sign = self.advance()
            return self._update(
                self.unary(), sign._replace(text=sign.text[0] + "="), constant(1), gives_old=()
            )
        if self.at("("):
            following = self.peek()
            known = self.find(following.text) if following.kind == "name" else None
            if following.text in self._type_words or (known is not None and known.is_type):
                return self._cast()
        elif self.at("&", "*", "+", "-", "!", "~"):
            return self._prefix(self.advance())
        return self._postfix(self.primary())

    _type_words = frozenset(
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

    def _cast(self) -> Expr:
        self.expect("(")
        ctype = self.type_name()
        self.expect(")")
        inner = self.unary()
        load = inner.load
        known = None if inner.constant is None else wrap(inner.constant, ctype)
        return Expr(ctype, lambda m: wrap(load(m), ctype), constant=known)

    def _sizeof(self) -> Expr:
        self.advance()
        if self.at("("):
            following = self.peek()
            known = self.find(following.text) if following.kind == "name" else None
            if following.text in self._type_words or (known is not None and known.is_type):
                self.advance()
                ctype = self.type_name()
                self.expect(")")
                return constant(size_of(ctype), UNSIGNED_LONG)
        return constant(size_of(self.unary().type), UNSIGNED_LONG)

    def _prefix(self, sign: Token) -> Expr:
        inner = self.unary()
        load = inner.load
        match sign.text:
            case "&":
                if inner.address is None:
                    raise CompileError("lvalue required as unary '&' operand", sign.where)
                target = inner.type
                is_function = (
                    target.kind == "pointer"
                    and target.target is not None
                    and target.target.kind == "function"
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

    def _postfix(self, left: Expr) -> Expr:
        while self.at("[", "(", ".", "->", "++", "--"):
            sign = self.advance()
            match sign.text:
                case "[":
                    index = self.expression()
                    self.expect("]")
                    whole = self.binary(sign._replace(text="+"), left, index)
                    if whole.type.kind != "pointer" or whole.type.target is None:
                        raise CompileError("subscripted value is neither array nor pointer", sign.where)
                    left = at_address(whole.type.target, whole.load)
                case "(":
                    left = self.call(left, sign)
                case "." | "->":
                    left = self.member(left, sign)
                case _:
                    left = self._update(
                        left, sign._replace(text=sign.text[0] + "="), constant(1), gives_old=("old",)
                    )
        return left
