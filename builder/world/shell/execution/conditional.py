"""Evaluates ``[[ … ]]``."""

from __future__ import annotations

from collections.abc import Callable

from builder.world.matching.pattern import matches
from builder.world.matching.regex import RegexError, compiled
from builder.world.shell.errors import CommandFailed
from builder.world.shell.expansion.arithmetic import evaluate
from builder.world.shell.language.syntax import Condition, TestBinary, TestBoth, TestNot, TestUnary
from builder.world.shell.state import Shell
from builder.world.utilities.streams import octets
from builder.world.utilities.words.test import Expression, TestError

_NUMERIC = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-lt": int.__lt__,
    "-le": int.__le__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
}


def condition_holds(condition: Condition, shell: Shell) -> bool:
    """Whether it is true in ``shell``; CommandFailed (status 2) if it means nothing."""
    if isinstance(condition, TestNot):
        return not condition_holds(condition.condition, shell)
    if isinstance(condition, TestBoth):
        left = condition_holds(condition.left, shell)
        if left == (condition.operator == "||"):
            return left
        return condition_holds(condition.right, shell)
    try:
        if isinstance(condition, TestUnary):
            return _unary(condition, shell)
        return _binary(condition, shell)
    except TestError as error:
        raise CommandFailed(f"[[: {error}", 2) from None


def _unary(condition: TestUnary, shell: Shell) -> bool:
    operand = shell.expander.text(condition.operand)
    if condition.operator == "-n":
        return operand != ""
    if condition.operator == "-v":
        return shell.variables.get(operand) is not None
    operator = "-e" if condition.operator == "-a" else condition.operator
    return Expression([operator, operand], shell.fs, lambda _: False).value()


def _binary(condition: TestBinary, shell: Shell) -> bool:
    left, operator = shell.expander.text(condition.left), condition.operator
    if operator in ("=", "==", "!="):
        return matches(shell.expander.pattern(condition.right), left) == (operator != "!=")
    if operator == "=~":
        return _matches_expression(left, shell.expander.pattern(condition.right), shell.machine.check)
    right = shell.expander.text(condition.right)
    if operator in _NUMERIC:
        a, b = (evaluate(text or "0", shell.variables, dialect=shell.dialect) for text in (left, right))
        return _NUMERIC[operator](a, b)
    if operator in ("<", ">"):
        return left < right if operator == "<" else left > right
    return Expression([left, operator, right], shell.fs, lambda _: False).value()


def _matches_expression(text: str, pattern: str, check: Callable[[], None]) -> bool:
    """``=~``: an extended regular expression."""
    try:
        return compiled(octets(pattern), extended=True, check=check).matches(octets(text))
    except RegexError as error:
        raise CommandFailed(f"[[: {pattern}: {error}", 2) from None
