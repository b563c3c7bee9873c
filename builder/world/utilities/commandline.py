"""The options of a command line, read as getopt_long(3) reads them.

An option that a utility does not have is refused with the utility's usage, as busybox refuses it: a
utility of the simulated world never pretends to have understood.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class UsageError(Exception):
    """A command line that is wrong: what to say on descriptor 2, and the exit status.

    ``usage`` is printed after the message; None where busybox prints only the message.
    """

    def __init__(self, message: str, usage: str | None = None, *, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.usage = usage
        self.status = status


@dataclass(frozen=True, slots=True)
class Options:
    """A command line taken apart: the options in the order given, and the operands."""

    given: tuple[tuple[str, str], ...]
    operands: tuple[str, ...]

    def __contains__(self, letter: str) -> bool:
        return any(name == letter for name, _ in self.given)

    def count(self, letter: str) -> int:
        """How many times the option was given."""
        return sum(name == letter for name, _ in self.given)

    def value(self, letter: str, default: str = "") -> str:
        """The argument of the last such option."""
        return next((value for name, value in reversed(self.given) if name == letter), default)

    def values(self, letter: str) -> list[str]:
        """The arguments of all such options, in order."""
        return [value for name, value in self.given if name == letter]

    def last(self, letters: str, default: str = "") -> str:
        """Which of ``letters`` was given last (options that override one another)."""
        return next((name for name, _ in reversed(self.given) if name in letters), default)


@dataclass(slots=True)
class _Reader:
    words: Sequence[str]
    spec: str
    long: Mapping[str, str]
    usage: str
    status: int
    position: int = 0

    def wrong(self, message: str) -> UsageError:
        return UsageError(message, self.usage, status=self.status)

    def takes(self, letter: str) -> str:
        """``""``, ``":"`` or ``"::"``, as the specification has it for ``letter``."""
        at = self.spec.find(letter)
        if at < 0 or letter == ":":
            raise self.wrong(f"invalid option -- '{letter}'")
        rest = self.spec[at + 1 : at + 3]
        return "::" if rest == "::" else ":" if rest[:1] == ":" else ""

    def next_word(self, complaint: str) -> str:
        if self.position >= len(self.words):
            raise self.wrong(complaint)
        self.position += 1
        return self.words[self.position - 1]

    def short(self, cluster: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for at, letter in enumerate(cluster):
            takes = self.takes(letter)
            if not takes:
                found.append((letter, ""))
                continue
            value = cluster[at + 1 :]
            if not value and takes == ":":
                value = self.next_word(f"option requires an argument -- '{letter}'")
            found.append((letter, value))
            break
        return found

    def long_option(self, text: str) -> tuple[str, str]:
        name, equals, value = text.partition("=")
        matches = [name] if name in self.long else [known for known in self.long if known.startswith(name)]
        if not matches:
            raise self.wrong(f"unrecognized option '--{name}{equals}{value}'")
        if len({self.long[match] for match in matches}) > 1:
            raise self.wrong(f"option '--{name}' is ambiguous")
        letter = self.long[matches[0]]
        takes = (
            letter[1:]
            if letter[1:] in (":", "::")
            else self.takes(letter[0])
            if letter[0] in self.spec
            else ""
        )
        if equals and not takes:
            raise self.wrong(f"option '--{matches[0]}' doesn't allow an argument")
        if takes == ":" and not equals:
            value = self.next_word(f"option '--{matches[0]}' requires an argument")
        return letter[0], value


def parse(
    words: Sequence[str], spec: str, long: Mapping[str, str] | None = None, *, usage: str, status: int = 1
) -> Options:
    """The options and operands in ``words`` (argv without the program's name).

    ``spec`` is getopt(3)'s: ``a`` a flag, ``a:`` with an argument, ``a::`` with an attached one; a leading
    ``+`` stops at the first operand. ``long`` maps a long name to its letter; a letter that is not in
    ``spec`` (any character will do) exists in the long form only; ``:`` follows it if it takes one.
    ``status``: the exit status of a command line that is wrong. Raises UsageError.

    >>> parse(["-n5", "f", "--lines=3"], "n:q", {"lines": "n"}, usage="").values("n")
    ['5', '3']
    """
    in_order = spec.startswith("+")
    reader = _Reader(words, spec.lstrip("+"), long or {}, usage, status)
    given: list[tuple[str, str]] = []
    operands: list[str] = []
    while reader.position < len(words):
        word = words[reader.position]
        reader.position += 1
        if word == "--":
            operands.extend(words[reader.position :])
            break
        if word.startswith("--") and (reader.long or reader.spec):
            given.append(reader.long_option(word[2:]))
        elif word.startswith("-") and word != "-":
            given.extend(reader.short(word[1:]))
        elif in_order:
            operands.append(word)
            operands.extend(words[reader.position :])
            break
        else:
            operands.append(word)
    return Options(tuple(given), tuple(operands))


def at_least(options: Options, count: int, usage: str) -> None:
    """Refuse a command line with fewer than ``count`` operands."""
    if len(options.operands) < count:
        raise UsageError("", usage)


SUFFIXES = {"": 1, "b": 512, "k": 1024, "K": 1024, "m": 1024**2, "M": 1024**2, "G": 1024**3, "g": 1024**3}


def number(text: str, suffixes: Mapping[str, int] | None = None, *, status: int = 1) -> int:
    """A non-negative decimal number, with one of ``suffixes``; UsageError as busybox words it."""
    digits = text
    while digits and not digits[-1].isdigit():
        digits = digits[:-1]
    table = suffixes if suffixes is not None else {"": 1}
    if not digits.isascii() or not digits.isdigit() or text[len(digits) :] not in table:
        raise UsageError(f"invalid number '{text}'", status=status)
    return int(digits) * table[text[len(digits) :]]
