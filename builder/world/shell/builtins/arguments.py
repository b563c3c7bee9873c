"""The arguments of builtins: numbers, operands, and one-letter flags."""

from __future__ import annotations

from collections.abc import Sequence

from builder.world.shell.errors import CommandFailed


def number(text: str) -> int:
    """The non-negative integer that ``text`` spells; CommandFailed as dash words it."""
    if not (text.isascii() and text.isdigit()):
        raise CommandFailed(f"Illegal number: {text}", 2)
    return int(text)


def operands(words: Sequence[str]) -> Sequence[str]:
    """The arguments without a leading ``--``."""
    return words[2:] if len(words) > 1 and words[1] == "--" else words[1:]


def letters(words: Sequence[str], known: str) -> tuple[str, Sequence[str]]:
    """The one-letter flags at the beginning of the arguments, and the operands; CommandFailed for another."""
    given, at = "", 1
    while at < len(words) and len(words[at]) > 1 and words[at][0] == "-":
        at += 1
        if words[at - 1] == "--":
            break
        for letter in words[at - 1][1:]:
            if letter not in known:
                raise CommandFailed(f"Illegal option -{letter}", 2)
            given += letter
    return given, words[at:]
