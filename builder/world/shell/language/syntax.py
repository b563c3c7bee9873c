"""The nouns of the shell's grammar: words with their parts, and commands (POSIX XCU, chapter 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """Unquoted text: may hold ``*?[`` that match names, and a leading ``~``."""

    text: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """Text that stands for itself: '…', a backslash and its character, or the plain parts of "…"."""

    text: str


@dataclass(frozen=True, slots=True)
class DoubleQuoted:
    """The parts between double quotes: neither split nor matched against names."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """``$name`` or ``${name operator operand}``.

    ``operator``: "" for the plain value, "length" for ``${#name}``, "bad" for what is no substitution (an
    error when it is expanded, as dash has it), else as it is spelt. ``second``: the replacement of
    ``${name/pattern/replacement}`` or the length of ``${name:offset:length}``.
    """

    name: str
    operator: str = ""
    operand: Word | None = None
    second: Word | None = None


@dataclass(frozen=True, slots=True)
class CommandSubstitution:
    """``$(…)`` or the older form in backquotes."""

    body: Node


@dataclass(frozen=True, slots=True)
class ArithmeticExpansion:
    """``$((…))``; the parts are expanded before they are computed."""

    parts: tuple[Part, ...]


Part: TypeAlias = Literal | Quoted | DoubleQuoted | Parameter | CommandSubstitution | ArithmeticExpansion


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command, before expansion."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """``name=value``; ``append`` for ``name+=value``."""

    name: str
    value: Word
    append: bool = False


@dataclass(slots=True)
class HereDocument:
    """The lines of a here-document. Not frozen: they stand behind the command that they belong to."""

    body: Word = Word(())


@dataclass(frozen=True, slots=True)
class Redirection:
    """``[descriptor] operator target``; the target of ``<<`` is only its delimiter."""

    descriptor: int
    operator: str
    target: Word
    document: HereDocument | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty list of commands: succeeds and does nothing."""


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """Assignments, words and redirections; ``line`` is where it begins, for messages."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    redirections: tuple[Redirection, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after another."""

    commands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Background:
    """``command &``."""

    command: Node
    line: int


@dataclass(frozen=True, slots=True)
class AndOr:
    """``first && …``: each of ``rest`` is an operator and what it guards, from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Not:
    """``! command``."""

    command: Node


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Two commands or more, each reading what the one before prints."""

    commands: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirections of its own."""

    command: Node
    redirections: tuple[Redirection, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Subshell:
    """``( … )``."""

    body: Node
    line: int


@dataclass(frozen=True, slots=True)
class Group:
    """``{ …; }``."""

    body: Node


@dataclass(frozen=True, slots=True)
class If:
    """``arms``: condition and body, in order; ``otherwise`` is the else part."""

    arms: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


@dataclass(frozen=True, slots=True)
class Loop:
    """``while``, or ``until`` when ``negated``."""

    condition: Node
    body: Node
    negated: bool


@dataclass(frozen=True, slots=True)
class For:
    """``for name in words``; ``words`` is None for the positional parameters."""

    name: str
    words: tuple[Word, ...] | None
    body: Node
    line: int


@dataclass(frozen=True, slots=True)
class CaseArm:
    """``patterns) body``; ``ending`` is ``;;``, or bash's ``;&`` and ``;;&``."""

    patterns: tuple[Word, ...]
    body: Node
    ending: str = ";;"


@dataclass(frozen=True, slots=True)
class Case:
    """``case subject in arms esac``."""

    subject: Word
    arms: tuple[CaseArm, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Function:
    """``name() body``."""

    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """bash's ``(( … ))``."""

    parts: tuple[Part, ...]
    line: int


@dataclass(frozen=True, slots=True)
class TestUnary:
    """``-f word``, or a lone word (operator ``-n``)."""

    operator: str
    operand: Word


@dataclass(frozen=True, slots=True)
class TestBinary:
    """``left operator right``; the right side of ``==`` and ``!=`` is a pattern, of ``=~`` an expression."""

    left: Word
    operator: str
    right: Word


@dataclass(frozen=True, slots=True)
class TestNot:
    """``! condition``."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class TestBoth:
    """``left && right`` or ``left || right``."""

    left: Condition
    operator: str
    right: Condition


Condition: TypeAlias = TestUnary | TestBinary | TestNot | TestBoth


@dataclass(frozen=True, slots=True)
class Test:
    """``[[ condition ]]`` (ash and bash)."""

    condition: Condition
    line: int


Node: TypeAlias = (
    Nothing
    | SimpleCommand
    | Sequence
    | Background
    | AndOr
    | Not
    | Pipeline
    | Redirected
    | Subshell
    | Group
    | If
    | Loop
    | For
    | Case
    | Function
    | Arithmetic
    | Test
)
