"""The integer expressions behind #if (ISO C 6.10.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.programs.cc.source.tokens import CompileError, Token, number_of

_LEVELS: Final[tuple[tuple[str, ...], ...]] = (
    ("||",),
    ("&&",),
    ("==", "!="),
    ("<", ">", "<=", ">="),
    ("+", "-"),
    ("*", "/", "%"),
)


class Arithmetic:
    """The integer expression behind #if (ISO C 6.10.1); a name that is no macro counts as 0."""

    def __init__(self, tokens: list[Token], where: str) -> None:
        self._tokens = list(tokens)
        self._where = where
        self._index = 0

    def value(self) -> int:
        """The value of the whole expression; CompileError if it is not one."""
        result = self._level(0)
        if self._index < len(self._tokens):
            raise CompileError("missing binary operator before token in #if", self._where)
        return result

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while self._index < len(self._tokens) and self._tokens[self._index].text in _LEVELS[level]:
            sign = self._tokens[self._index].text
            self._index += 1
            left = self._apply(sign, left, self._level(level + 1))
        return left

    def _apply(self, sign: str, left: int, right: int) -> int:
        if sign in "/%" and right == 0:
            raise CompileError("division by zero in #if", self._where)
        results: dict[str, Callable[[], int]] = {
            "||": lambda: int(bool(left or right)),
            "&&": lambda: int(bool(left and right)),
            "==": lambda: int(left == right),
            "!=": lambda: int(left != right),
            "<": lambda: int(left < right),
            ">": lambda: int(left > right),
            "<=": lambda: int(left <= right),
            ">=": lambda: int(left >= right),
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left // right,
            "%": lambda: left % right,
        }
        return results[sign]()

    def _unary(self) -> int:
        if self._index >= len(self._tokens):
            raise CompileError("#if with no expression", self._where)
        token = self._tokens[self._index]
        self._index += 1
        match token.text:
            case "!":
                return int(not self._unary())
            case "-":
                return -self._unary()
            case "(":
                inner = self._level(0)
                if self._index >= len(self._tokens) or self._tokens[self._index].text != ")":
                    raise CompileError("missing ')' in expression", self._where)
                self._index += 1
                return inner
        return number_of(token) if token.kind == "number" else 0
