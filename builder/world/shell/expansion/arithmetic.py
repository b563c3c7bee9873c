"""Arithmetic expansion: C's operators on 64-bit integers (POSIX XCU 2.6.4, XCU 1.1.2.1)."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError


class Variables(Protocol):
    """Where names find their values."""

    def number_of(self, name: str, /) -> int:
        """The value of a name as an integer; 0 if it is unset."""
        ...

    def set(self, name: str, value: str, /) -> None:
        """Give a name a value."""
        ...


Computation: TypeAlias = Callable[[Variables], int]

_NUMBER: Final = r"(?P<number>0[xX][0-9a-fA-F]+|[0-9]+(?:#[0-9A-Za-z]+)?)"
_NAME: Final = r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
_OPERATORS: Final = r"<<=|>>=|&&|\|\||<<|>>|<=|>=|==|!=|[-+*/%&^|]=|[-+*/%&^|~!<>=?:(),]"


def _tokens(operators: str) -> re.Pattern[str]:
    any_of = f"{_NUMBER}|{_NAME}|(?P<operator>{operators})|(?P<end>\\Z)|(?P<bad>.)"
    return re.compile(f"[ \t\n]*(?:{any_of})", re.DOTALL)


_TOKEN: Final = _tokens(_OPERATORS)
_EXTENDED_TOKEN: Final = _tokens(rf"\+\+|--|{_OPERATORS}")
_CONSTANT: Final = re.compile(r"[ \t\n]*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)[ \t\n]*")


def wrapped(value: int) -> int:
    """``value`` as a signed 64-bit integer holds it.

    >>> wrapped(1 << 63)
    -9223372036854775808
    """
    if -(1 << 63) <= value < 1 << 63:
        return value
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def integer(text: str) -> int | None:
    """The integer that a constant spells (decimal, octal, hexadecimal, with a sign); None if it is none."""
    match = _CONSTANT.fullmatch(text)
    if match is None:
        return None
    digits = match[2]
    value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
    value = min(value, (1 << 63) - 1)
    return -value if match[1] == "-" else value


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise ZeroDivisionError
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: int, right: int) -> int:
    return left - right * _quotient(left, right)


_BINARY: Final[dict[str, tuple[int, Callable[[int, int], int]]]] = {
    "|": (3, lambda a, b: a | b),
    "^": (4, lambda a, b: a ^ b),
    "&": (5, lambda a, b: a & b),
    "==": (6, lambda a, b: int(a == b)),
    "!=": (6, lambda a, b: int(a != b)),
    "<": (7, lambda a, b: int(a < b)),
    "<=": (7, lambda a, b: int(a <= b)),
    ">": (7, lambda a, b: int(a > b)),
    ">=": (7, lambda a, b: int(a >= b)),
    "<<": (8, lambda a, b: a << (b & 63)),
    ">>": (8, lambda a, b: a >> (b & 63)),
    "+": (9, lambda a, b: a + b),
    "-": (9, lambda a, b: a - b),
    "*": (10, lambda a, b: a * b),
    "/": (10, _quotient),
    "%": (10, _remainder),
}
_LOGICAL: Final = {"||": 1, "&&": 2}
_UNARY: Final[dict[str, Callable[[int], int]]] = {
    "-": lambda a: -a,
    "+": lambda a: a,
    "~": lambda a: ~a,
    "!": lambda a: int(a == 0),
}


class _Parser:
    def __init__(self, text: str, dialect: Dialect) -> None:
        self._text = text
        self._extended = dialect.has_extensions
        self._position = 0
        self._kind = ""
        self._value = ""
        self._advance()

    def fail(self, message: str) -> ShellError:
        return ShellError(f'arithmetic expression: {message}: "{self._text}"')

    def _advance(self) -> None:
        pattern = _EXTENDED_TOKEN if self._extended else _TOKEN
        match = pattern.match(self._text, self._position)
        assert match is not None and match.lastgroup is not None, "the pattern matches any text"
        self._kind, self._value = match.lastgroup, match[match.lastgroup]
        self._position = match.end()

    def _at(self, operator: str) -> bool:
        return self._kind == "operator" and self._value == operator

    def whole(self) -> Computation:
        computation = self._assignment()
        while self._extended and self._at(","):
            self._advance()
            first, second = computation, self._assignment()
            computation = _after(first, second)
        if self._kind != "end":
            raise self.fail("expecting EOF")
        return computation

    def _assignment(self) -> Computation:
        if self._kind == "name":
            before = (self._position, self._kind, self._value)
            name = self._value
            self._advance()
            operator = self._value if self._kind == "operator" else ""
            if operator == "=" or (operator.endswith("=") and operator[:-1] in _BINARY):
                self._advance()
                return _assigning(name, operator[:-1], self._assignment())
            self._position, self._kind, self._value = before
        return self._conditional()

    def _conditional(self) -> Computation:
        condition = self._binary(1)
        if not self._at("?"):
            return condition
        self._advance()
        yes = self._assignment()
        if not self._at(":"):
            raise self.fail("expecting ':'")
        self._advance()
        no = self._assignment()
        return lambda names: yes(names) if condition(names) else no(names)

    def _binary(self, lowest: int) -> Computation:
        left = self._unary()
        while self._kind == "operator":
            operator = self._value
            if operator in _LOGICAL and _LOGICAL[operator] >= lowest:
                self._advance()
                left = _logical(operator, left, self._binary(_LOGICAL[operator] + 1))
            elif operator in _BINARY and _BINARY[operator][0] >= lowest:
                self._advance()
                precedence, compute = _BINARY[operator]
                left = _computing(compute, left, self._binary(precedence + 1))
            else:
                break
        return left

    def _unary(self) -> Computation:
        if self._kind == "operator":
            operator = self._value
            if operator in ("++", "--"):
                return self._step_before(operator)
            if operator in _UNARY:
                self._advance()
                operand, compute = self._unary(), _UNARY[operator]
                return lambda names: wrapped(compute(operand(names)))
        return self._primary()

    def _step_before(self, operator: str) -> Computation:
        """``++x``; before anything but a name, two signs."""
        self._advance()
        if self._kind == "name":
            name = self._value
            self._advance()
            return _assigning(name, operator[0], lambda _: 1)
        return self._unary()

    def _primary(self) -> Computation:
        kind, value = self._kind, self._value
        if kind == "number":
            self._advance()
            constant = self._constant(value)
            return lambda _: constant
        if kind == "name":
            self._advance()
            if self._kind == "operator" and self._value in ("++", "--"):
                step = 1 if self._value == "++" else -1
                self._advance()
                return _stepping(value, step)
            return lambda names: names.number_of(value)
        if self._at("("):
            self._advance()
            inner = self._assignment()
            if not self._at(")"):
                raise self.fail("expecting ')'")
            self._advance()
            return inner
        raise self.fail("expecting primary")

    def _constant(self, text: str) -> int:
        if "#" in text:
            base, _, digits = text.partition("#")
            try:
                return wrapped(int(digits, int(base)))
            except ValueError:
                raise self.fail("bad number") from None
        value = integer(text)
        if value is None:
            raise self.fail("expecting EOF")
        return value


def _after(first: Computation, second: Computation) -> Computation:
    def compute(names: Variables) -> int:
        first(names)
        return second(names)

    return compute


def _logical(operator: str, left: Computation, right: Computation) -> Computation:
    if operator == "&&":
        return lambda names: int(left(names) != 0 and right(names) != 0)
    return lambda names: int(left(names) != 0 or right(names) != 0)


def _computing(compute: Callable[[int, int], int], left: Computation, right: Computation) -> Computation:
    return lambda names: wrapped(compute(left(names), right(names)))


def _assigning(name: str, operator: str, value: Computation) -> Computation:
    def compute(names: Variables) -> int:
        result = value(names)
        if operator:
            result = wrapped(_BINARY[operator][1](names.number_of(name), result))
        names.set(name, str(result))
        return result

    return compute


def _stepping(name: str, step: int) -> Computation:
    def compute(names: Variables) -> int:
        before = names.number_of(name)
        names.set(name, str(wrapped(before + step)))
        return before

    return compute


@functools.lru_cache(maxsize=512)
def _compiled(text: str, dialect: Dialect) -> Computation:
    return _Parser(text, dialect).whole()


def evaluate(text: str, names: Variables, *, dialect: Dialect = Dialect.DASH) -> int:
    """The value of an expression; raises ShellError.

    Deep nesting is an error like any other: there is no expression that ends the caller.
    """
    if not text.strip(" \t\n"):
        # dash refuses an empty expression, bash and busybox compute 0.
        if dialect is Dialect.DASH:
            raise ShellError(f'arithmetic expression: expecting primary: "{text}"')
        return 0
    try:
        return _compiled(text, dialect)(names)
    except ZeroDivisionError:
        raise ShellError(f'arithmetic expression: division by zero: "{text}"') from None
    except RecursionError:
        raise ShellError("arithmetic expression: nested too deeply") from None
