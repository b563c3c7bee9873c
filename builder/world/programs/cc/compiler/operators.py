"""The binary operators of C: how they bind (ISO C 6.5.5 to 6.5.14), and what they compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.programs.cc.compiler.declarations import DeclarationReader
from builder.world.programs.cc.compiler.scope import Expr
from builder.world.programs.cc.ctype import CHAR, INT, LONG, common, decayed, size_of, wrap
from builder.world.programs.cc.machine import Fault, Load
from builder.world.programs.cc.source.tokens import CompileError, Token

LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    ("||",),
    ("&&",),
    ("|",),
    ("^",),
    ("&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("<<", ">>"),
    ("+", "-"),
    ("*", "/", "%"),
)
"""Signs of equal precedence together, those that bind least first."""

_COMPARISONS: Final = frozenset(("==", "!=", "<", ">", "<=", ">="))


def _divide(left: int, right: int) -> int:
    if right == 0:
        raise Fault("Floating point exception", 8)
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_OPERATIONS: Final[dict[str, Callable[[int, int], int]]] = {
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "&": lambda a, b: a & b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "<<": lambda a, b: a << (b & 63),
    ">>": lambda a, b: a >> (b & 63),
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b),
}


class OperatorCompiler(DeclarationReader):
    """Compiles the binary operators."""

    def binary(self, sign: Token, left: Expr, right: Expr) -> Expr:
        """The expression ``left sign right``."""
        one, two = left.load, right.load
        for side in (left, right):
            if side.type.kind in ("record", "void"):
                raise CompileError(f"invalid operands to binary {sign.text}", sign.where)
        if sign.text == "&&":
            return Expr(INT, lambda m: int(bool(one(m) and two(m))))
        if sign.text == "||":
            return Expr(INT, lambda m: int(bool(one(m) or two(m))))
        first, second = decayed(left.type), decayed(right.type)
        if sign.text in ("+", "-") and "pointer" in (first.kind, second.kind):
            return self._pointer_sum(sign, left, right)
        ctype = first if sign.text in ("<<", ">>") else common(first, second)
        result = INT if sign.text in _COMPARISONS else common(ctype, INT)
        operation = _OPERATIONS[sign.text]
        if ctype.kind == "int" and not ctype.signed:
            run: Load = lambda m: wrap(operation(wrap(one(m), ctype), wrap(two(m), ctype)), result)  # noqa: E731
        else:
            run = lambda m: wrap(operation(one(m), two(m)), result)  # noqa: E731
        known = None
        if left.constant is not None and right.constant is not None:
            if sign.text in "/%" and right.constant == 0:
                self.unit.warnings.append(f"{sign.where}: warning: division by zero [-Wdiv-by-zero]")
            else:
                known = wrap(operation(left.constant, right.constant), result)
        return Expr(result, run, constant=known)

    def _pointer_sum(self, sign: Token, left: Expr, right: Expr) -> Expr:
        one, two = left.load, right.load
        first, second = decayed(left.type), decayed(right.type)
        if first.kind == second.kind == "pointer" and sign.text == "-":
            unit = size_of(first.target or CHAR) or 1
            return Expr(LONG, lambda m: (one(m) - two(m)) // unit)
        if second.kind == "pointer":
            one, two, first = two, one, second
        unit = size_of(first.target or CHAR) or 1
        if sign.text == "-":
            unit = -unit
        return Expr(first, lambda m: one(m) + two(m) * unit)
