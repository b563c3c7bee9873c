"""Reads the expressions of an awk program (POSIX awk, "Grammar"), by precedence."""

from __future__ import annotations

from typing import Final

from builder.world.utilities.awk.lexer import Token, tokens
from builder.world.utilities.awk.syntax import (
    Assignment,
    Binary,
    Call,
    Conditional,
    Element,
    Expression,
    Field,
    Getline,
    Grouping,
    Member,
    Name,
    Number,
    Regex,
    Step,
    String,
    Unary,
)
from builder.world.utilities.commandline import UsageError

_COMPARISONS: Final = ("<", "<=", "==", "!=", ">", ">=")
_ASSIGNMENTS: Final = ("=", "+=", "-=", "*=", "/=", "%=", "^=")
_STARTS_OPERAND: Final = frozenset(
    {"number", "string", "regex", "name", "call", "builtin", "$", "!", "(", "-", "+", "++", "--"}
)
DEEPEST: Final = 150
"""How deep expressions and statements may be nested."""


class ExpressionParser:
    """One pass over the tokens. ``no_in`` and ``no_greater`` hold inside for(;;) heads and print lists."""

    def __init__(self, source: str) -> None:
        self.tokens = tokens(source)
        self.at = 0
        self.no_in = False
        self.no_greater = False
        self.depth = 0
        self.arrays: set[str] = set()

    # -- tokens

    @property
    def kind(self) -> str:
        """The kind of the next token."""
        return self.tokens[self.at].kind

    def take(self) -> Token:
        """The next token, passed over."""
        token = self.tokens[self.at]
        self.at = min(self.at + 1, len(self.tokens) - 1)
        return token

    def accept(self, *kinds: str) -> Token | None:
        """The next token if it is of one of the kinds."""
        return self.take() if self.kind in kinds else None

    def expect(self, kind: str) -> Token:
        """The next token, which must be of the kind."""
        if self.kind != kind:
            self.fail()
        return self.take()

    def fail(self) -> None:
        """Refuse the next token."""
        raise UsageError(f"cmd. line:{self.tokens[self.at].line}: Unexpected token")

    def newlines(self) -> None:
        """Pass over newlines."""
        while self.accept("newline"):
            pass

    def terminators(self) -> None:
        """Pass over newlines and semicolons."""
        while self.accept("newline", ";"):
            pass

    # -- from what binds least to what binds most

    def expression(self) -> Expression:
        """An expression. Raises UsageError."""
        if self.depth > DEEPEST:
            raise UsageError("the program is nested too deeply")
        self.depth += 1
        try:
            return self._assignment()
        finally:
            self.depth -= 1

    def _assignment(self) -> Expression:
        left = self._conditional()
        if self.kind in _ASSIGNMENTS and isinstance(left, Name | Field | Element):
            operator = self.take().kind[:-1]
            self.newlines()
            return Assignment(operator, left, self.expression())
        return left

    def _conditional(self) -> Expression:
        condition = self._or()
        if self.accept("?"):
            self.newlines()
            then = self.expression()
            self.newlines()
            self.expect(":")
            self.newlines()
            return Conditional(condition, then, self.expression())
        return condition

    def _or(self) -> Expression:
        left = self._and()
        while self.accept("||"):
            self.newlines()
            left = Binary("||", left, self._and())
        return left

    def _and(self) -> Expression:
        left = self._in()
        while self.accept("&&"):
            self.newlines()
            left = Binary("&&", left, self._in())
        return left

    def _in(self) -> Expression:
        left = self._matching()
        while not self.no_in and self.accept("in"):
            name = self.expect("name").text.decode()
            self.arrays.add(name)
            left = Member(left.items if isinstance(left, Grouping) else (left,), name)
        return left

    def _matching(self) -> Expression:
        left = self._comparison()
        while token := self.accept("~", "!~"):
            left = Binary(token.kind, left, self._comparison())
        return left

    def _comparison(self) -> Expression:
        left = self._concatenation()
        if self.kind in _COMPARISONS and not (self.kind == ">" and self.no_greater):
            operator = self.take().kind
            return Binary(operator, left, self._concatenation())
        while self.kind == "|" and self.tokens[self.at + 1].kind == "getline":
            self.take()
            self.take()
            left = Getline(self._target(), left, "|")
        return left

    def _concatenation(self, *, redirected: bool = False) -> Expression:
        left = self._sum()
        while (
            self.kind in _STARTS_OPERAND
            and self.kind not in ("regex",)
            and not (redirected and self.kind == "(")
        ):
            if self.kind in ("+", "-"):
                break
            left = Binary("", left, self._sum())
        return left

    def _sum(self) -> Expression:
        left = self._product()
        while token := self.accept("+", "-"):
            left = Binary(token.kind, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while token := self.accept("*", "/", "%"):
            left = Binary(token.kind, left, self._unary())
        return left

    def _unary(self) -> Expression:
        if token := self.accept("!", "-", "+"):
            self.depth += 1
            if self.depth > DEEPEST:
                raise UsageError("the program is nested too deeply")
            operand = self._unary()
            self.depth -= 1
            return Unary(token.kind, operand)
        return self._power()

    def _power(self) -> Expression:
        base = self._postfix()
        if self.accept("^"):
            exponent = Unary("-", self._power()) if self.accept("-") else self._power()
            return Binary("^", base, exponent)
        return base

    def _postfix(self) -> Expression:
        if token := self.accept("++", "--"):
            return Step(self._primary(), 1 if token.kind == "++" else -1, before=True)
        operand = self._primary()
        if isinstance(operand, Name | Field | Element) and (token := self.accept("++", "--")):
            return Step(operand, 1 if token.kind == "++" else -1, before=False)
        return operand

    def _target(self) -> Expression | None:
        return self._primary() if self.kind in ("name", "$") else None

    def _primary(self) -> Expression:
        token = self.take()
        text = token.text.decode("latin-1")
        match token.kind:
            case "number":
                return Number(float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text))
            case "string":
                return String(token.text)
            case "regex":
                return Regex(token.text)
            case "name":
                if self.accept("["):
                    self.arrays.add(text)
                    return Element(text, self._subscript())
                return Name(text)
            case "$":
                return Field(self._postfix() if self.kind in ("++", "--") else self._primary_or_unary())
            case "(":
                return self._parenthesis()
            case "getline":
                target = self._target()
                return (
                    Getline(target, self._primary(), "<") if self.accept("<") else Getline(target, None, "")
                )
            case "call" | "builtin":
                return self._call(token)
        self.at -= 1
        self.fail()
        raise AssertionError("fail raises")

    def _primary_or_unary(self) -> Expression:
        return Unary("-", self._primary()) if self.accept("-") else self._primary()

    def _parenthesis(self) -> Expression:
        saved, self.no_in, self.no_greater = (self.no_in, self.no_greater), False, False
        items = [self.expression()]
        while self.accept(","):
            self.newlines()
            items.append(self.expression())
        self.expect(")")
        self.no_in, self.no_greater = saved
        return items[0] if len(items) == 1 else Grouping(tuple(items))

    def _subscript(self) -> tuple[Expression, ...]:
        saved, self.no_in, self.no_greater = (self.no_in, self.no_greater), False, False
        items = (self.expression(), *self._more())
        self.expect("]")
        self.no_in, self.no_greater = saved
        return items

    def _call(self, token: Token) -> Expression:
        name = token.text.decode()
        builtin = token.kind == "builtin"
        arguments: tuple[Expression, ...] = ()
        if self.accept("("):
            saved, self.no_in, self.no_greater = (self.no_in, self.no_greater), False, False
            self.newlines()
            if self.kind != ")":
                arguments = (self.expression(), *self._more())
            self.newlines()
            self.expect(")")
            self.no_in, self.no_greater = saved
        elif name != "length":
            self.fail()
        if name == "split" and len(arguments) > 1 and isinstance(arguments[1], Name):
            self.arrays.add(arguments[1].name)
        return Call(name, arguments, builtin)

    def _more(self) -> tuple[Expression, ...]:
        items: list[Expression] = []
        while self.accept(","):
            self.newlines()
            items.append(self.expression())
        return tuple(items)
