r"""The patterns of .dockerignore → regular expressions.

moby checks a pattern with Go's ``filepath.Match`` and matches it as a Go regular expression that it writes
itself (patternmatcher.go, ``compile``); so ``\d`` is a digit and ``^`` outside a class never matches. One
thing differs on purpose: a ``*`` or ``?`` inside ``[]`` is itself, as ``filepath.Match`` documents it, where
moby makes the class something else.

Middle stars are atomic: a pattern with many of them must not take for ever on a long name.
"""

from __future__ import annotations

import re
from typing import Final

from unionfs_sim.nodes.record import Record

_NOT_SLASH: Final = "[^/]"
_ESCAPES: Final = {
    "d": "[0-9]",
    "D": "[^0-9]",
    "w": "[0-9A-Za-z_]",
    "W": "[^0-9A-Za-z_]",
    "s": r"[\t\n\f\r ]",
    "S": r"[^\t\n\f\r ]",
    "b": r"(?a:\b)",
    "B": r"(?a:\B)",
    "A": r"\A",
    "z": r"\Z",
    "a": r"\x07",
    "f": r"\f",
    "n": r"\n",
    "r": r"\r",
    "t": r"\t",
    "v": r"\v",
}
_POSIX: Final = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_MAX_SLOW_STARS: Final = 6


class WildcardError(ValueError):
    """Text that is no pattern: what is wrong, and what to write instead."""

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


class _Token(Record):
    """A piece of a pattern. ``text``: a regular expression, or the star itself."""

    text: str
    simple: bool = True  # one character that is no slash, or a slash itself


_STAR: Final = _Token("*")
_STARS: Final = _Token("**")
_SLASH: Final = _Token("/")


def check_wildcard(pattern: str) -> None:
    """Refuse what Go's ``filepath.Match`` calls a bad pattern: WildcardError."""
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "\\":
            if at == len(pattern):
                raise WildcardError("a backslash at the end escapes nothing", fix="remove it, or write two")
            at += 1
        elif sign == "[":
            at = _check_class(pattern, at)


def _check_class(pattern: str, at: int) -> int:
    at += pattern.startswith("^", at)
    ranges = 0
    while not (pattern.startswith("]", at) and ranges):
        at = _check_member(pattern, at)
        if pattern.startswith("-", at):
            at = _check_member(pattern, at + 1)
        ranges += 1
    return at + 1


def _check_member(pattern: str, at: int) -> int:
    sign = pattern[at : at + 1]
    if sign == "\\":
        at += 1
        sign = "" if at >= len(pattern) else "x"
    if sign in ("", "-", "]") or at + 1 >= len(pattern):
        raise WildcardError(
            "the [ class is empty, or never closed", fix="write [a-z], or \\[ for the character"
        )
    return at + 1


def translate(pattern: str) -> str | None:
    """The regular expression for a cleaned pattern, for ``re.match``; None if it is a plain path."""
    if pattern == "**":
        return ""
    if not any(sign in pattern for sign in "*?[]\\"):
        return None
    plain = re.escape(pattern.strip("*"))
    if pattern.startswith("**") and not _has_wildcard(pattern[2:]):
        # As moby: the end of the path is compared, so that "**foo" also matches "afoo".
        return rf"(?s:(?:.*/)?{re.escape(pattern[3:])}\Z)" if pattern[2] == "/" else rf"(?s:.*{plain}\Z)"
    if pattern.endswith("**") and not _has_wildcard(pattern[:-2]):
        return plain
    return _assembled(_tokens(pattern))


def _has_wildcard(text: str) -> bool:
    return any(sign in text for sign in "*?[]\\")


def _tokens(pattern: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        at += 1
        if sign == "*" and pattern.startswith("*", at):
            at += 1
            at += pattern.startswith("/", at)
            tokens.append(_STARS)
        elif sign == "*":
            if not tokens or tokens[-1] is not _STAR:
                tokens.append(_STAR)
        elif sign == "?":
            tokens.append(_Token(_NOT_SLASH))
        elif sign == "\\":
            tokens.append(_Token(_escaped(pattern[at]), simple=not pattern[at].isalnum()))
            at += 1
        elif sign == "[":
            text, at = _class(pattern, at)
            tokens.append(_Token(text, simple=False))
        elif sign == "^":
            tokens.append(_Token("^", simple=False))
        else:
            tokens.append(_SLASH if sign == "/" else _Token(re.escape(sign)))
    return tokens


def _escaped(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isalnum() or not sign.isascii():
        raise WildcardError(f"\\{sign} is no escape", fix=f"write {sign} alone")
    return re.escape(sign)


def _class(pattern: str, at: int) -> tuple[str, int]:
    """The class that begins at ``at``, behind its ``[``, and where it ends."""
    out = ["["]
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    begun = at
    while at == begun or not pattern.startswith("]", at):
        if (
            (posix := re.compile(r"\[:(\^?)(\w+):\]").match(pattern, at))
            and posix[2] in _POSIX
            and not posix[1]
        ):
            out.append(_POSIX[posix[2]])
            at = posix.end()
            continue
        low, at = _member(pattern, at)
        if pattern.startswith("-", at) and not pattern.startswith("]", at + 1) and len(low) == 1:
            high, at = _member(pattern, at + 1)
            if len(high) != 1 or high < low:
                raise WildcardError(
                    f"the range {low}-{high} ends before it begins", fix=f"write {high}-{low}"
                )
            out.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            out.append(re.escape(low) if len(low) == 1 else low)
    return "".join((*out, "]")), at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    """One character of a class, or what an escape such as ``\\d`` puts into it."""
    if at >= len(pattern):
        raise WildcardError("the [ class is never closed", fix="write [a-z], or \\[ for the character")
    if pattern[at] != "\\":
        return pattern[at], at + 1
    sign = pattern[at + 1 : at + 2]
    if sign in "dsw" and sign:
        return _ESCAPES[sign][1:-1], at + 2
    if not sign or sign.isalnum():
        raise WildcardError(f"\\{sign} is no escape in a class", fix="write the character alone")
    return sign, at + 2


def _assembled(tokens: list[_Token]) -> str:
    """The tokens as one expression; a run between two stars is atomic where a later match cannot help."""
    groups: list[list[_Token]] = [[]]
    for token in tokens:
        if token is _STARS:
            groups.append([])
        else:
            groups[-1].append(token)
    slow = 0
    out = [_components(groups[0])]
    for number, group in enumerate(groups[1:], 1):
        is_last = number == len(groups) - 1
        if is_last:
            out.append(f"(?:.*/)?{_components(group)}" if group else ".*")
        elif group and group[-1] is _SLASH and all(each.simple for each in group):
            # A group of whole components between two **: the first place is as good as any later one.
            out.append(f"(?>(?:.*?/)?{_components(group)})")
        else:
            slow += 1
            out.append(f"(?:.*/)?{_components(group)}")
    if slow > _MAX_SLOW_STARS:
        raise WildcardError(f"more than {_MAX_SLOW_STARS} ** inside of names", fix="write ** between slashes")
    return "".join(out) + r"\Z"


def _components(group: list[_Token]) -> str:
    """Tokens without ``**``; a run between two ``*`` of one component is atomic."""
    stars = [at for at, token in enumerate(group) if token is _STAR]
    out: list[str] = []
    at, slow = 0, 0
    for number, star in enumerate(stars):
        end = stars[number + 1] if number + 1 < len(stars) else len(group)
        out += (token.text for token in group[at:star])
        run = group[star + 1 : end]
        text = "".join(token.text for token in run)
        if end < len(group) and _SLASH not in run and all(token.simple for token in run):
            out.append(f"(?>{_NOT_SLASH}*?{text})")
        else:
            slow += _SLASH not in run
            out.append(f"{_NOT_SLASH}*{text}")
        at = end
    if slow > _MAX_SLOW_STARS:
        raise WildcardError(f"more than {_MAX_SLOW_STARS} * around classes", fix="use fewer *")
    return "".join((*out, *(token.text for token in group[at:])))
