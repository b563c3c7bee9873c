"""Conditions over facts: names joined by ``and``, ``or`` and ``not``. They are looked at, never executed."""

from __future__ import annotations

import ast
from collections.abc import Callable, Set
from dataclasses import dataclass, field

Facts = Set[str]
"""The names of the facts that hold."""


@dataclass(frozen=True, slots=True)
class Condition:
    """When something is possible. ``names``: the facts that it asks about."""

    text: str
    names: frozenset[str]
    holds: Callable[[Facts], bool] = field(compare=False, repr=False)
    parts: tuple[Condition, ...] = field(default=(), compare=False, repr=False)
    """What an outermost ``and`` joins; nothing for any other condition."""

    def __str__(self) -> str:
        return self.text

    def missing(self, facts: Facts) -> tuple[str, ...]:
        """What of it does not hold, as it is written; nothing if all holds.

        >>> parse("root and (privileged or sock) and not userns").missing({"root", "userns"})
        ('privileged or sock', 'not userns')
        """
        if self.parts:
            return tuple(text for part in self.parts for text in part.missing(facts))
        return () if self.holds(facts) else (self.text,)


def parse(text: str) -> Condition:
    """The condition that a text spells; ``always`` and the empty text hold always.

    Raises ValueError for anything but names, ``and``, ``or``, ``not`` and brackets.

    >>> rule = parse("root and (privileged or not userns)")
    >>> sorted(rule.names), rule.holds({"root"}), rule.holds({"root", "userns"})
    (['privileged', 'root', 'userns'], True, False)
    """
    if text in ("", "always"):
        return Condition("always", frozenset(), lambda _facts: True)
    try:
        tree = ast.parse(text, mode="eval").body
    except (SyntaxError, RecursionError, MemoryError):
        raise ValueError(f"not a condition: {text!r}") from None
    names = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    joined = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else []
    parts = tuple(parse(ast.unparse(each)) for each in joined)
    return Condition(text, names, _predicate(tree, text), parts)


def _predicate(tree: ast.expr, text: str) -> Callable[[Facts], bool]:
    match tree:
        case ast.Name(id=name):
            return lambda facts: name in facts
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _predicate(operand, text)
            return lambda facts: not inner(facts)
        case ast.BoolOp(op=ast.And(), values=values):
            parts = [_predicate(value, text) for value in values]
            return lambda facts: all(part(facts) for part in parts)
        case ast.BoolOp(op=ast.Or(), values=values):
            parts = [_predicate(value, text) for value in values]
            return lambda facts: any(part(facts) for part in parts)
    raise ValueError(f"not a condition: {text!r}")
