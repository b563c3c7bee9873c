"""Evaluates ``[[ … ]]``."""

from __future__ import annotations

import re

from builder.world.matching.pattern import matches
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.expansion.arithmetic import evaluate
from builder.world.shell.expansion.expander import Expander
from builder.world.shell.expansion.variables import Variables
from builder.world.shell.language.syntax import Condition, TestBinary, TestBoth, TestNot, TestUnary
from builder.world.utilities.words.test import Expression, TestError
from unionfs_sim.vfs.posix import Posix

_NUMERIC = {
    "-eq": int.__eq__,
    "-ne": int.__ne__,
    "-lt": int.__lt__,
    "-le": int.__le__,
    "-gt": int.__gt__,
    "-ge": int.__ge__,
}


def condition_holds(
    condition: Condition, expander: Expander, fs: Posix, variables: Variables, dialect: Dialect
) -> bool:
    """Whether it is true; CommandFailed (status 2) if it means nothing."""
    if isinstance(condition, TestNot):
        return not condition_holds(condition.condition, expander, fs, variables, dialect)
    if isinstance(condition, TestBoth):
        left = condition_holds(condition.left, expander, fs, variables, dialect)
        if left == (condition.operator == "||"):
            return left
        return condition_holds(condition.right, expander, fs, variables, dialect)
    try:
        if isinstance(condition, TestUnary):
            return _unary(condition, expander, fs, variables)
        return _binary(condition, expander, fs, variables, dialect)
    except TestError as error:
        raise CommandFailed(f"[[: {error}", 2) from None


def _unary(condition: TestUnary, expander: Expander, fs: Posix, variables: Variables) -> bool:
    operand = expander.text(condition.operand)
    if condition.operator == "-n":
        return operand != ""
    if condition.operator == "-v":
        return variables.get(operand) is not None
    operator = "-e" if condition.operator == "-a" else condition.operator
    return Expression([operator, operand], fs, lambda _: False).value()


def _binary(
    condition: TestBinary, expander: Expander, fs: Posix, variables: Variables, dialect: Dialect
) -> bool:
    left, operator = expander.text(condition.left), condition.operator
    if operator in ("=", "==", "!="):
        return matches(expander.pattern(condition.right), left) == (operator != "!=")
    if operator == "=~":
        return _matches_expression(left, expander.pattern(condition.right))
    right = expander.text(condition.right)
    if operator in _NUMERIC:
        a, b = (evaluate(text or "0", variables, dialect=dialect) for text in (left, right))
        return _NUMERIC[operator](a, b)
    if operator in ("<", ">"):
        return left < right if operator == "<" else left > right
    return Expression([left, operator, right], fs, lambda _: False).value()


def _matches_expression(text: str, pattern: str) -> bool:
    """``=~``: an extended regular expression; classes such as ``[[:digit:]]`` are spelt out for Python."""
    classes = {
        "digit": "0-9",
        "alpha": "a-zA-Z",
        "alnum": "a-zA-Z0-9",
        "space": r"\s",
        "upper": "A-Z",
        "lower": "a-z",
    }
    expression = re.sub(r"\[:(\w+):\]", lambda match: classes.get(match[1], ""), pattern)
    try:
        return re.search(expression, text) is not None
    except re.error as error:
        raise CommandFailed(f"[[: {pattern}: {error}", 2) from None
