"""The binary operators of C: how they bind (ISO C 6.5.5 to 6.5.14), and what they compute."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final, TypeAlias

from builder.world.programs.cc.compiler.scope import Expr
from builder.world.programs.cc.compiler.state import Compilation
from builder.world.programs.cc.ctype import CHAR, INT, LONG, common, decayed, size_of, wrap
from builder.world.programs.cc.machine import Fault, Load, Machine
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


Step: TypeAlias = Callable[[int, Machine], int]
"""What an operator makes of the value on its left."""


class _Chain:
    """A first operand, then operators that each take what is left of them.

    ``a + b + c + …`` may have as many terms as a program likes: they are worked off in a loop, where calls
    within calls would end at Python's deepest. Chains that begin alike share their list of steps.
    """

    __slots__ = ("_count", "_first", "_steps")

    def __init__(self, first: Load, steps: list[Step], count: int) -> None:
        self._first = first
        self._steps = steps
        self._count = count

    def longer(self, step: Step) -> _Chain:
        """The chain with one more operator at its end."""
        steps = self._steps if len(self._steps) == self._count else self._steps[: self._count]
        steps.append(step)
        return _Chain(self._first, steps, self._count + 1)

    def __call__(self, machine: Machine) -> int:
        value = self._first(machine)
        for step in islice(self._steps, self._count):
            value = step(value, machine)
        return value


def followed(load: Load, step: Step) -> Load:
    """``load``, then ``step`` on its value."""
    return (load if isinstance(load, _Chain) else _Chain(load, [], 0)).longer(step)


def binary(code: Compilation, sign: Token, left: Expr, right: Expr) -> Expr:
    """The expression ``left sign right``."""
    one, two = left.load, right.load
    for side in (left, right):
        if side.type.kind in ("record", "void"):
            raise CompileError(f"invalid operands to binary {sign.text}", sign.where)
    if sign.text == "&&":
        return Expr(INT, followed(one, lambda value, m: int(bool(value and two(m)))))
    if sign.text == "||":
        return Expr(INT, followed(one, lambda value, m: int(bool(value or two(m)))))
    first, second = decayed(left.type), decayed(right.type)
    if sign.text in ("+", "-") and "pointer" in (first.kind, second.kind):
        return _pointer_sum(sign, left, right)
    ctype = first if sign.text in ("<<", ">>") else common(first, second)
    result = INT if sign.text in _COMPARISONS else common(ctype, INT)
    operation = _OPERATIONS[sign.text]
    if ctype.kind == "int" and not ctype.signed:
        step: Step = lambda value, m: wrap(operation(wrap(value, ctype), wrap(two(m), ctype)), result)  # noqa: E731
    else:
        step = lambda value, m: wrap(operation(value, two(m)), result)  # noqa: E731
    known = None
    if left.constant is not None and right.constant is not None:
        if sign.text in "/%" and right.constant == 0:
            code.unit.warnings.append(f"{sign.where}: warning: division by zero [-Wdiv-by-zero]")
        else:
            known = wrap(operation(left.constant, right.constant), result)
    return Expr(result, followed(one, step), constant=known)


def _pointer_sum(sign: Token, left: Expr, right: Expr) -> Expr:
    one, two = left.load, right.load
    first, second = decayed(left.type), decayed(right.type)
    if first.kind == second.kind == "pointer" and sign.text == "-":
        unit = size_of(first.target or CHAR) or 1
        return Expr(LONG, followed(one, lambda value, m: (value - two(m)) // unit))
    if second.kind == "pointer":
        unit = size_of(second.target or CHAR) or 1
        return Expr(second, followed(one, lambda value, m: value * unit + two(m)))
    unit = size_of(first.target or CHAR) or 1
    if sign.text == "-":
        unit = -unit
    return Expr(first, followed(one, lambda value, m: value + two(m) * unit))
