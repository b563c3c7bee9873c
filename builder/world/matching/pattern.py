"""Shell patterns (POSIX XCU 2.13) as regular expressions that never backtrack far.

A pattern is text in which a backslash takes the meaning from the next character. A star followed by fixed
text may take the earliest place where that text fits: atomic groups say so, and hostile patterns stay linear
in the number of stars.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Final

STAR: Final = ""
"""The token of ``*``; every other token is a regular expression for exactly one character."""

SPECIAL: Final = re.compile(r"[*?\[]")
_NEEDS_ESCAPE: Final = re.compile(r"[*?\[\]\\!^-]")
_CLASSES: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r" \t\n\r\f\v",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "print": " -~",
    "graph": "!-~",
    "cntrl": r"\x00-\x1f\x7f",
    "xdigit": "0-9A-Fa-f",
}


def escaped(text: str) -> str:
    r"""The pattern that matches exactly ``text``.

    >>> escaped("a*b")
    'a\\*b'
    """
    return _NEEDS_ESCAPE.sub(r"\\\g<0>", text)


def as_bytes(text: str) -> str:
    """``text`` with one character for each of its bytes, as a shell without locales sees it (dash).

    >>> len(as_bytes("é"))
    2
    """
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("latin-1")


def from_bytes(text: str) -> str:
    """The reverse of ``as_bytes``."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


def is_special(pattern: str) -> bool:
    r"""Whether an unescaped ``*``, ``?`` or ``[`` stands in it.

    >>> is_special(r"a\*"), is_special("a*")
    (False, True)
    """
    return (
        SPECIAL.search(pattern) is not None
        and SPECIAL.search(re.sub(r"\\.", "", pattern, flags=re.S)) is not None
    )


def unescaped(pattern: str) -> str:
    """The text of a pattern that has no special characters."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


def _bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """The regular expression of the bracket expression at ``at`` and its end; None if it never closes."""
    size, position = len(pattern), at + 1
    negated = pattern[position : position + 1] in ("!", "^")
    position += negated
    members: list[str] = []
    first = True
    while position < size and (first or pattern[position] != "]"):
        first = False
        named = re.compile(r"\[:([a-z]+):\]").match(pattern, position)
        if named is not None:
            members.append(_CLASSES.get(named[1], ""))
            position = named.end()
            continue
        low, position = _member(pattern, position)
        if pattern[position : position + 1] == "-" and pattern[position + 1 : position + 2] not in ("]", ""):
            high, position = _member(pattern, position + 1)
            if low <= high:
                members.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            members.append(re.escape(low))
    if position >= size:
        return None
    inside = "".join(members)
    if not inside:
        return ("." if negated else r"(?!)."), position + 1
    return f"[{'^' if negated else ''}{inside}]", position + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] == "\\" and at + 1 < len(pattern):
        return pattern[at + 1], at + 2
    return pattern[at], at + 1


def _tokens(pattern: str) -> list[str]:
    tokens: list[str] = []
    at, size = 0, len(pattern)
    while at < size:
        character = pattern[at]
        at += 1
        if character == "*":
            if not tokens or tokens[-1] != STAR:
                tokens.append(STAR)
        elif character == "?":
            tokens.append(".")
        elif character == "[" and (bracket := _bracket(pattern, at - 1)) is not None:
            tokens.append(bracket[0])
            at = bracket[1]
        elif character == "\\" and at < size:
            tokens.append(re.escape(pattern[at]))
            at += 1
        else:
            tokens.append(re.escape(character))
    return tokens


def _expression(tokens: list[str], *, last_star: str) -> str:
    """Join tokens; every star but the last takes the earliest fit, the last is ``last_star``."""
    pieces: list[str] = []
    for token in tokens:
        if token == STAR:
            pieces.append("")
        elif pieces:
            pieces[-1] += token
        else:
            pieces.append(token)
    head = "" if tokens and tokens[0] == STAR else pieces.pop(0) if pieces else ""
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1])
    tail = f"{last_star}{pieces[-1]}" if pieces else ""
    return head + middle + tail


@functools.lru_cache(maxsize=1024)
def whole(pattern: str) -> re.Pattern[str]:
    """An expression whose ``fullmatch`` tells whether a text matches the pattern."""
    return re.compile(_expression(_tokens(pattern), last_star=".*"), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of ``text`` matches, as in ``case``.

    >>> matches("[a-c]?*.txt", "bx.txt"), matches("a", "ab")
    (True, False)
    """
    return whole(pattern).fullmatch(text) is not None


@functools.lru_cache(maxsize=1024)
def _edge(pattern: str, *, from_end: bool, longest: bool) -> re.Pattern[str]:
    tokens = _tokens(pattern)
    if from_end:
        tokens.reverse()
    return re.compile(_expression(tokens, last_star=".*" if longest else ".*?"), re.DOTALL)


def without_prefix(text: str, pattern: str, *, longest: bool) -> str:
    """``${text#pattern}``, or ``##`` for the longest.

    >>> without_prefix("a/b/c", "*/", longest=False), without_prefix("a/b/c", "*/", longest=True)
    ('b/c', 'c')
    """
    match = _edge(pattern, from_end=False, longest=longest).match(text)
    return text[match.end() :] if match else text


def without_suffix(text: str, pattern: str, *, longest: bool) -> str:
    """``${text%pattern}``, or ``%%`` for the longest.

    >>> without_suffix("a.tar.gz", ".*", longest=False), without_suffix("a.tar.gz", ".*", longest=True)
    ('a.tar', 'a')
    """
    match = _edge(pattern, from_end=True, longest=longest).match(text[::-1])
    return text[: len(text) - match.end()] if match else text


def replaced(
    text: str,
    pattern: str,
    replacement: str,
    account: Callable[[int], None] = lambda _size: None,
    *,
    every: bool,
) -> str:
    """``${text/pattern/replacement}``; a pattern that begins with ``#`` or ``%`` is anchored (bash).

    ``account`` is told how much is about to be held.

    >>> replaced("a.b.c", ".", "-", every=True)
    'a-b-c'
    """
    if not pattern or (every and pattern == "/"):
        return text
    anchor = pattern[0] if pattern[0] in "#%" and not every else ""
    expression = _expression(_tokens(pattern[len(anchor) :]), last_star=".*")
    if anchor == "#":
        return (
            re.compile(expression, re.DOTALL).sub(lambda _: replacement, text, count=1)
            if re.match(expression, text, re.DOTALL)
            else text
        )
    if anchor == "%":
        expression = f"(?:{expression})\\Z"
    held = len(text)

    def counted(_match: re.Match[str]) -> str:
        nonlocal held
        held += len(replacement)
        account(held)
        return replacement

    return re.compile(expression, re.DOTALL).sub(counted, text, count=0 if every else 1)
