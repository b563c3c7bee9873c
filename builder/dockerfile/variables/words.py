"""How the text of an instruction is cut: keyword and flags, words with quotes, fields, JSON arrays.

The rules are BuildKit's (frontend/dockerfile/parser, ``split_command.go`` and ``line_parsers.go``).
Variables are not looked at here: see ``expand``.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final, NoReturn

from unionfs_sim.nodes.record import Record

SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""Go's ``unicode.IsSpace``; Python's ``str.strip`` also takes the separators 0x1c to 0x1f."""

_BLANKS: Final = re.compile(r"[\t\v\f\r ]+")
# Flags are read with a backslash as escape whatever the escape directive says, and in both quotes; byte by
# byte, so that only the blanks of ASCII end them.
_ANY_SPACE: Final = re.compile(r"[\t\n\v\f\r ]*")
_FLAG_PIECE: Final = re.compile(
    r"""\\(?P<escaped>.)"""
    r"""|'(?P<single>(?:[^'\\]|\\.)*+)(?:'|\\?\Z)"""
    r"""|"(?P<double>(?:[^"\\]|\\.)*+)(?:"|\\?\Z)"""
    r"""|(?P<plain>[^\t\n\v\f\r '"\\]+)""",
    re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


class Head(Record):
    """One instruction cut in three: ``COPY``, ``("--from=a",)``, ``x y``."""

    keyword: str
    flags: tuple[str, ...]
    rest: str


class NotStringsError(ValueError):
    """A JSON array that holds something else than strings."""


def split_head(text: str) -> Head:
    """The keyword as written, the flags without their quotes, and the rest without blanks around it.

    >>> split_head('COPY --from=build --chown="a b" x y')
    Head(keyword='COPY', flags=('--from=build', '--chown=a b'), rest='x y')
    """
    keyword, *rest = _BLANKS.split(text.strip(SPACE), maxsplit=1)
    if not rest:
        return Head(keyword, (), "")
    flags, end = _flags(rest[0])
    return Head(keyword, flags, rest[0][end:].strip(SPACE))


def _flags(text: str) -> tuple[tuple[str, ...], int]:
    flags: list[str] = []
    at = _end_of(_ANY_SPACE, text, 0)
    while text.startswith("--", at):
        flag, at = _flag(text, at)
        if flag == "--":
            break
        flags.append(flag)
        at = _end_of(_ANY_SPACE, text, at)
    return tuple(flags), at


def _flag(text: str, at: int) -> tuple[str, int]:
    pieces: list[str] = []
    while (piece := _FLAG_PIECE.match(text, at)) is not None:
        at = piece.end()
        match piece.lastgroup:
            case "single" | "double":
                pieces.append(_ESCAPED.sub(r"\1", piece[piece.lastgroup]))
            case group:
                pieces.append(piece[group or 0])
    # A backslash that ends the line escapes nothing and is dropped.
    return "".join(pieces), at + text.startswith("\\", at)


def _end_of(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


@cache
def _word(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"""(?:[^{SPACE}'"{mark}]++|{mark}.|'[^']*+'?|"(?:[^"{mark}]++|{mark}.)*+"?)++""", re.DOTALL
    )


def quoted_words(text: str, escape: str = "\\") -> list[str]:
    """The words of ENV, LABEL and ARG; quotes and escapes join blanks and stay in the word.

    >>> quoted_words('a="b c" d=e')
    ['a="b c"', 'd=e']
    """
    return _word(escape).findall(text)


def fields(text: str) -> list[str]:
    """``text`` cut at blanks; quotes mean nothing."""
    return _BLANKS.split(text) if text else []


def split_once(text: str) -> list[str]:
    """``text`` cut at its first run of blanks, into one or two."""
    return _BLANKS.split(text, maxsplit=1)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # Python reads NaN and Infinity; JSON has neither


def _number(_digits: str) -> None:
    """No string; Python's own reading of a number with thousands of digits would take long, or fail."""


def json_strings(text: str) -> list[str] | None:
    """The strings of a JSON array, or None if ``text`` is no JSON array: it is then in shell form.

    Raises NotStringsError for an array of anything else.
    """
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text, parse_constant=_refuse, parse_int=_number, parse_float=_number)
    except RecursionError:
        raise NotStringsError from None
    except ValueError:
        return None
    if not all(isinstance(each, str) for each in found):
        raise NotStringsError
    # Half a surrogate pair cannot be stored as UTF-8; Go puts the replacement character there.
    return [each.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for each in found]
