"""expr: arithmetic, comparisons and matching of words (POSIX expr)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.regex import RegexError, compiled
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.streams import octets, words

_USAGE: Final = "EXPRESSION"
_COMPARISONS: Final = ("<", "<=", "=", "==", "!=", ">=", ">")
_INTEGER: Final = re.compile(r"-?[0-9]+")
_DEEPEST: Final = 200


def _wrapped(value: int) -> int:
    """The value in 64 bits, as C computes it."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _wrong(message: str = "syntax error") -> UsageError:
    return UsageError(message, status=2)


def _null(value: int | str) -> bool:
    return value in ("", 0, "0")


def _number(value: int | str) -> int:
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        raise _wrong("non-numeric argument")
    return int(value)


class Evaluator:
    """One expression. Each operator takes the words to its left first; ``|`` binds least."""

    def __init__(self, words_: Sequence[str], check: Callable[[], None]) -> None:
        self.words = list(words_)
        self._check = check
        self.at = 0
        self.depth = 0

    def value(self) -> int | str:
        """What the whole expression is. Raises UsageError."""
        result = self._or()
        if self.at < len(self.words):
            raise _wrong()
        return result

    def _next(self, *operators: str) -> str | None:
        if self.at < len(self.words) and self.words[self.at] in operators:
            self.at += 1
            return self.words[self.at - 1]
        return None

    def _or(self) -> int | str:
        left = self._and()
        while self._next("|"):
            right = self._and()
            left = right if _null(left) else left
        return left

    def _and(self) -> int | str:
        left = self._comparison()
        while self._next("&"):
            right = self._comparison()
            left = 0 if _null(left) or _null(right) else left
        return left

    def _comparison(self) -> int | str:
        left = self._sum()
        while operator := self._next(*_COMPARISONS):
            right = self._sum()
            a: int | bytes
            b: int | bytes
            if _INTEGER.fullmatch(str(left)) and _INTEGER.fullmatch(str(right)):
                a, b = int(left), int(right)
            else:
                a, b = octets(str(left)), octets(str(right))
            order = (a > b) - (a < b)  # type: ignore[operator]  # both are of one kind
            left = int(
                {"<": order < 0, "<=": order <= 0, "!=": order != 0, ">=": order >= 0, ">": order > 0}.get(
                    operator, order == 0
                )
            )
        return left

    def _sum(self) -> int | str:
        left = self._product()
        while operator := self._next("+", "-"):
            right = _number(self._product())
            left = _wrapped(_number(left) + (right if operator == "+" else -right))
        return left

    def _product(self) -> int | str:
        left = self._match()
        while operator := self._next("*", "/", "%"):
            divisor = _number(self._match())
            dividend = _number(left)
            if operator == "*":
                left = _wrapped(dividend * divisor)
                continue
            if divisor == 0:
                raise _wrong("division by zero")
            quotient = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
            left = _wrapped(quotient if operator == "/" else dividend - quotient * divisor)
        return left

    def _match(self) -> int | str:
        left = self._word()
        while self._next(":"):
            left = _matched(str(left), str(self._word()), self._check)
        return left

    def _word(self) -> int | str:
        if self.at >= len(self.words):
            raise _wrong()
        word = self.words[self.at]
        self.at += 1
        if word == "quote":
            if self.at >= len(self.words):
                raise _wrong()
            self.at += 1
            return self.words[self.at - 1]
        if word == "(":
            self.depth += 1
            if self.depth > _DEEPEST:
                raise _wrong("expression is nested too deeply")
            inner = self._or()
            if not self._next(")"):
                raise _wrong()
            return inner
        if word in ("length", "match", "index", "substr"):
            return self._function(word)
        if word in (")", "|", "&", *_COMPARISONS, "*", "/", "%", ":", "+"):
            raise _wrong()
        return word

    def _function(self, name: str) -> int | str:
        text = str(self._word())
        if name == "length":
            return len(octets(text))
        second = str(self._word())
        if name == "match":
            return _matched(text, second, self._check)
        if name == "index":
            return min((text.find(char) + 1 for char in second if char in text), default=0)
        start, length = _number(second), _number(self._word())
        return words(octets(text)[start - 1 : start - 1 + length]) if start > 0 and length > 0 else ""


def _matched(text: str, pattern: str, check: Callable[[], None]) -> int | str:
    try:
        expression = compiled(octets(pattern), check=check)
    except RegexError as error:
        raise _wrong(f"bad regex '{pattern}': {error}") from error
    match = expression.search(octets(text))
    if match is None or match.start() != 0:
        anchored = expression.match(octets(text))
        if anchored is None:
            return "" if expression.groups else 0
        match = anchored
    return words(match[1] or b"") if expression.groups else match.end()


def expr(process: Process) -> int:
    """Print the value of the expression; the status is 1 if that is null or zero."""
    operands = list(process.argv[1:])
    if operands[:1] == ["--"]:
        del operands[0]
    if not operands:
        raise UsageError("too few arguments", status=2)
    value = Evaluator(operands, process.machine.check).value()
    process.out(f"{value}\n")
    return 1 if _null(value) else 0
