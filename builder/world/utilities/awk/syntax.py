"""The tree of an awk program: expressions, statements, items."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Number:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class String:
    """A string."""

    value: bytes


@dataclass(frozen=True, slots=True)
class Regex:
    """``/…/``: alone, it asks whether ``$0`` matches."""

    source: bytes


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or a whole array."""

    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """``$index``."""

    index: Expression


@dataclass(frozen=True, slots=True)
class Element:
    """``name[subscript]``."""

    name: str
    subscript: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary:
    """``-x``, ``+x`` or ``!x``."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands; the empty operator is concatenation."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? then : otherwise``."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(frozen=True, slots=True)
class Assignment:
    """``target op= value``; the operator is empty for ``=``."""

    operator: str
    target: Expression
    value: Expression


@dataclass(frozen=True, slots=True)
class Step:
    """``++x``, ``x++`` and their kin; ``before``: the result is the new value."""

    target: Expression
    amount: int
    before: bool


@dataclass(frozen=True, slots=True)
class Member:
    """``(subscript) in name``."""

    subscript: tuple[Expression, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a builtin or of a function of the program."""

    name: str
    arguments: tuple[Expression, ...]
    builtin: bool


@dataclass(frozen=True, slots=True)
class Getline:
    """``getline``: from the input, from a file (``<``) or from a command (``|``)."""

    target: Expression | None
    source: Expression | None
    kind: str


@dataclass(frozen=True, slots=True)
class Grouping:
    """``(a, b)``, which only print and ``in`` can use."""

    items: tuple[Expression, ...]


Expression: TypeAlias = (
    Number
    | String
    | Regex
    | Name
    | Field
    | Element
    | Unary
    | Binary
    | Conditional
    | Assignment
    | Step
    | Member
    | Call
    | Getline
    | Grouping
)


@dataclass(frozen=True, slots=True)
class Print:
    """print or printf, with where it goes: ``redirect`` is ``>``, ``>>``, ``|`` or empty."""

    formatted: bool
    arguments: tuple[Expression, ...]
    redirect: str
    target: Expression | None


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression as a statement."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class Block:
    """Statements in braces."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class If:
    """if, with or without else."""

    condition: Expression
    then: Statement
    otherwise: Statement | None


@dataclass(frozen=True, slots=True)
class Loop:
    """while, do and for: ``first`` runs before, ``step`` after each round; ``at_end``: asked after it."""

    first: Statement | None
    condition: Expression | None
    step: Statement | None
    body: Statement
    at_end: bool


@dataclass(frozen=True, slots=True)
class ForIn:
    """``for (variable in name)``."""

    variable: Expression
    name: str
    body: Statement


@dataclass(frozen=True, slots=True)
class Delete:
    """``delete name[subscript]``, or the whole array."""

    name: str
    subscript: tuple[Expression, ...] | None


@dataclass(frozen=True, slots=True)
class Jump:
    """break, continue, next, nextfile, exit or return, with its value."""

    kind: str
    value: Expression | None


Statement: TypeAlias = Print | Evaluate | Block | If | Loop | ForIn | Delete | Jump


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern (``begin``, ``end``, an expression, or a range of two) and its action (None: print)."""

    pattern: str
    first: Expression | None
    last: Expression | None
    action: Block | None


@dataclass(frozen=True, slots=True)
class Function:
    """A function; ``arrays``: which of its parameters it uses as arrays."""

    name: str
    parameters: tuple[str, ...]
    body: Block
    arrays: frozenset[str]


@dataclass(slots=True)
class Program:
    """All rules in order, and the functions by name."""

    rules: list[Rule] = field(default_factory=list)
    functions: dict[str, Function] = field(default_factory=dict)
