"""POSIX regular expressions, basic and extended, on bytes in the C locale.

They are translated to Python's ``re``. Both take the leftmost match, but POSIX takes the longest one
there (XBD 9.1, "Matched") while ``re`` takes the first that its alternatives give: ``Pattern.search``
mends that for the whole match by trying longer ends. Which text each *group* holds in an ambiguous
expression (``(a|ab)(c|bcd)``) may still differ from a POSIX matcher, and lines of more than
LONGEST_SEARCH bytes are not searched for a longer end. Where ``re`` would take very long, or for ever
(nested repetitions, several of them on a long line), an automaton answers instead; for what has back
references, a search that can be stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from builder.world.matching.automaton import Automaton, Found, TooMuchError
from builder.world.matching.backtracking import Backtracker

LONGEST_SEARCH: Final = 4096
"""Bytes after a match in which a longer one is looked for."""

_MOST_WORK: Final = 20_000_000
"""Steps of backtracking that ``re`` may have to make before an automaton is faster."""

_SHORT: Final = 16
"""Bytes of text on which even nested repetitions cost ``re`` little."""

CLASSES: Final = {
    b"alpha": b"a-zA-Z",
    b"digit": b"0-9",
    b"alnum": b"a-zA-Z0-9",
    b"upper": b"A-Z",
    b"lower": b"a-z",
    b"space": rb"\t-\r ",
    b"blank": rb"\t ",
    b"punct": rb"!-/:-@\[-`{-~",
    b"print": rb" -~",
    b"graph": rb"!-~",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"xdigit": b"0-9A-Fa-f",
}
"""Character classes of the C locale, as the inside of a bracket of ``re``."""

_GNU: Final = {
    b"w": b"[a-zA-Z0-9_]",
    b"W": b"[^a-zA-Z0-9_]",
    b"s": rb"[\t-\r ]",
    b"S": rb"[^\t-\r ]",
    b"b": rb"\b",
    b"B": rb"\B",
    b"<": rb"\b(?=\w)",
    b">": rb"\b(?<=\w)",
    b"`": rb"\A",
    b"'": rb"\Z",
}
_LOOKS: Final = b"bB<>'"
_END: Final = rb"(?:\Z)"


Match: TypeAlias = re.Match[bytes] | Found
"""Asked with ``span``, ``start``, ``end`` and ``[group]``."""


class RegexError(ValueError):
    """An expression that POSIX does not allow; the text is what regerror(3) of glibc says."""


def bracket(text: bytes, at: int) -> tuple[bytes, int]:
    """The inside of a bracket for ``re`` that the one at ``text[at]`` (after ``[``) means, and its end."""
    negated = text[at : at + 1] == b"^"
    first = at = at + negated
    inside: list[bytes] = []
    while True:
        if at >= len(text):
            raise RegexError("Unmatched [, [^, [:, [., or [=")
        if text[at : at + 1] == b"]" and at > first:
            break
        if text[at : at + 2] == b"[:":
            end = text.find(b":]", at + 2)
            if end < 0:
                raise RegexError("Unmatched [, [^, [:, [., or [=")
            name = text[at + 2 : end]
            if name not in CLASSES:
                raise RegexError("Invalid character class name")
            inside.append(CLASSES[name])
            at = end + 2
            continue
        low, at = _bracket_character(text, at)
        if text[at : at + 1] == b"-" and text[at + 1 : at + 2] not in (b"]", b""):
            high, at = _bracket_character(text, at + 1)
            if high < low:
                raise RegexError("Invalid range end")
            if text[at : at + 1] == b"-" and text[at + 1 : at + 2] != b"]":
                raise RegexError("Invalid range end")
            inside.append(b"\\x%02x-\\x%02x" % (low, high))
        else:
            inside.append(b"\\x%02x" % low)
    return (b"^" if negated else b"") + b"".join(inside), at + 1


def _bracket_character(text: bytes, at: int) -> tuple[int, int]:
    if text[at : at + 2] in (b"[.", b"[="):
        end = text.find(text[at + 1 : at + 2] + b"]", at + 2)
        if end < 0:
            raise RegexError("Unmatched [, [^, [:, [., or [=")
        if end - at != 3:
            raise RegexError("Invalid collation character")
        return text[at + 2], end + 2
    return text[at], at + 1


class _Translator:
    """One pass over an expression; ``extended`` chooses ERE, else BRE with the GNU operators."""

    def __init__(self, text: bytes, *, extended: bool, newline_sensitive: bool) -> None:
        self.text = text
        self.extended = extended
        self.newline_sensitive = newline_sensitive
        self.at = 0
        self.groups = 0
        self.open: list[tuple[int, int]] = []
        self.closed: set[int] = set()
        self.ambiguous = False
        self.looks = False
        self.dollar = False
        self.degree = 0.0
        """The time of ``re`` grows with this power of the text, and one more to find the beginning."""
        self.pieces: list[bytes] = []
        self.atom = -1
        """Where in ``pieces`` the last atom begins; -1: there is none to repeat."""

    def translate(self) -> bytes:
        while self.at < len(self.text):
            self._next()
        if self.open:
            raise RegexError("Unmatched ( or \\(")
        return b"".join(self.pieces)

    def _token(self) -> tuple[bytes, bool]:
        """The next character, and whether it acts as an operator (in BRE: whether it has its backslash)."""
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char != b"\\":
            return char, self.extended
        if self.at >= len(self.text):
            raise RegexError("Trailing backslash")
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if not self.extended and char in b"(){}|+?":
            return char, True
        self._escaped(char)
        return b"", False

    def _next(self) -> None:
        char, operator = self._token()
        if not char:
            return
        if operator and char == b"(":
            self._open()
        elif operator and char == b")" and (self.open or not self.extended):
            self._close()
        elif operator and char == b"|":
            self.pieces.append(b"|")
            self.ambiguous, self.atom = True, -1
        elif char == b"*" or (operator and char in b"+?{"):
            self._repeat(char)
        elif char == b"[":
            inside, self.at = bracket(self.text, self.at)
            if self.newline_sensitive and inside.startswith(b"^"):
                inside += rb"\n"
            self._push(b"[" + inside + b"]")
        elif char == b".":
            self._push(rb"[^\n]" if self.newline_sensitive else b".")
        elif char == b"^" and self._anchors_start():
            self.pieces.append(rb"(?:^)")
            self.atom = -1
        elif char == b"$" and self._anchors_end():
            self.dollar = True
            self.pieces.append(rb"$" if self.newline_sensitive else _END)
            self.atom = -1
        else:
            self._push(re.escape(char))

    def _push(self, piece: bytes) -> None:
        self.atom = len(self.pieces)
        self.pieces.append(piece)

    def _escaped(self, char: bytes) -> None:
        if char.isdigit() and char != b"0":
            if int(char) not in self.closed:
                raise RegexError("Invalid back reference")
            self._push(b"(?:\\%c)" % char)
        elif char in _GNU:
            self.looks = self.looks or char in _LOOKS
            self._push(_GNU[char])
        elif char == b"n":
            self._push(rb"\n")
        else:
            self._push(re.escape(char))

    def _open(self) -> None:
        self.groups += 1
        self.open.append((len(self.pieces), self.groups))
        self.pieces.append(b"(")
        self.atom = -1

    def _close(self) -> None:
        if not self.open:
            raise RegexError("Unmatched ) or \\)")
        self.atom, group = self.open.pop()
        self.pieces.append(b")")
        self.closed.add(group)

    def _anchors_start(self) -> bool:
        if self.extended:
            return True
        before = self.pieces[-1] if self.pieces else b""
        return not self.pieces or before in (b"(", b"|")

    def _anchors_end(self) -> bool:
        rest = self.text[self.at :]
        return self.extended or rest == b"" or rest[:2] in (rb"\)", rb"\|")

    def _repeat(self, char: bytes) -> None:
        if self.atom < 0:
            self._repeat_nothing(char)
            return
        count = self._interval() if char == b"{" else char
        if count is None:
            self._push(rb"\{")
            return
        body = b"".join(self.pieces[self.atom :])
        self.ambiguous = self.ambiguous or self.pieces[self.atom] == b"("
        self._count_ways(count)
        del self.pieces[self.atom + 1 :]
        self.pieces[self.atom] = b"(?:" + body + count + b")"

    def _count_ways(self, count: bytes) -> None:
        """Note how many ways ``re`` may have to try through the atom that is repeated ``count`` times."""
        if count == b"?":
            return
        inside = self.pieces[self.atom :]
        nested = any(piece == b"|" or piece.startswith(b"(?:") for piece in inside)
        self.degree = float("inf") if nested else self.degree + 1

    def _repeat_nothing(self, char: bytes) -> None:
        if char == b"{" and not self.extended:
            raise RegexError("Invalid preceding regular expression")
        if not self.extended or char == b"{":
            self._push(re.escape(char))
        # Any other operator of an ERE that has nothing before it is passed over.

    def _interval(self) -> bytes | None:
        """The ``{m,n}`` at this place; None if, in an ERE, the brace stands for itself."""
        closing = b"}" if self.extended else rb"\}"
        end = self.text.find(closing, self.at)
        inside = self.text[self.at : end] if end >= 0 else b""
        match = re.fullmatch(rb"(\d*)(,?)(\d*)", inside)
        if end < 0 or match is None or not inside or (not match[1] and not match[2]):
            if self.extended:
                return None
            raise RegexError("Unmatched \\{" if end < 0 else "Invalid content of \\{\\}")
        low = int(match[1] or b"0")
        high = int(match[3]) if match[3] else None if match[2] else low
        if high is not None and high < low:
            raise RegexError("Invalid content of \\{\\}")
        if max(low, high or 0) > 32767:
            raise RegexError("Regular expression too big")
        self.at = end + len(closing)
        return b"{%d,%s}" % (low, b"" if high is None else b"%d" % high)


@dataclass(slots=True)
class Pattern:
    """A compiled expression. ``groups``: how many parentheses it has."""

    _first: re.Pattern[bytes]
    _longer: re.Pattern[bytes] | None
    groups: int
    _degree: float
    _check: Callable[[], None] | None = None
    _automaton: Automaton | Backtracker | None = field(init=False, default=None)

    def search(self, text: bytes, start: int = 0) -> Match | None:
        """The leftmost, longest match at or after ``start``; ``^`` means the beginning of ``text``."""
        automaton = self._for_long(len(text) - start)
        if automaton is not None:
            return automaton.search(text, start)
        match = self._first.search(text, start)
        if match is None or self._longer is None:
            return match
        begin, shortest = match.span()
        if len(text) - shortest > LONGEST_SEARCH:
            return match
        full = self._first.fullmatch(text, begin)
        if full is not None:
            return full
        for end in range(len(text) - 1, shortest, -1):
            full = self._longer.fullmatch(text, begin, end)
            if full is not None:
                return full
        return match

    def matches(self, text: bytes) -> bool:
        """Whether it matches anywhere in ``text``."""
        automaton = self._for_long(len(text))
        found = automaton.search(text) if automaton is not None else self._first.search(text)
        return found is not None

    def match(self, text: bytes) -> Match | None:
        """A match that begins where ``text`` begins."""
        automaton = self._for_long(len(text))
        return automaton.search(text, anchored=True) if automaton is not None else self._first.match(text)

    def fullmatch(self, text: bytes) -> Match | None:
        """The match that is the whole of ``text``."""
        automaton = self._for_long(len(text))
        if automaton is not None:
            return automaton.search(text, anchored=True, whole=True)
        return self._first.fullmatch(text)

    def _for_long(self, length: int) -> Automaton | Backtracker | None:
        """What is to search ``length`` bytes; None: ``re``, which is fast enough or alone able to."""
        if length <= _SHORT or self._degree == 0 or length ** (self._degree + 1) < _MOST_WORK:
            return None
        if self._automaton is None:
            source, flags = self._first.pattern, self._first.flags
            try:
                self._automaton = Automaton(source, flags, self.groups)
            except TooMuchError:
                self._automaton = self._backtracker(source, flags)
                self._degree = self._degree if self._automaton is not None else 0
        return self._automaton

    def _backtracker(self, source: bytes, flags: int) -> Backtracker | None:
        try:
            return Backtracker(source, flags, self.groups, self._check or _unstopped)
        except TooMuchError:
            return None


def _unstopped() -> None:
    """Let a search go on."""


def compiled(
    text: bytes,
    *,
    extended: bool = False,
    ignore_case: bool = False,
    multiline: bool = False,
    check: Callable[[], None] | None = None,
) -> Pattern:
    r"""The expression, ready to search. Raises RegexError.

    ``check`` is called now and then in a search that may take long, and may raise to end it.
    ``multiline``: ``^`` and ``$`` also match around newlines, and ``.`` does not match one (REG_NEWLINE).

    >>> compiled(b"foo|foobar", extended=True).search(b"a foobar").group()
    b'foobar'
    """
    translator = _Translator(text, extended=extended, newline_sensitive=multiline)
    source = translator.translate()
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0) | (re.MULTILINE if multiline else 0)
    try:
        first = re.compile(source, flags)
        # Before the end of the text "$" cannot match, and what looks beyond the end must not be fooled by it.
        longer = None
        if translator.ambiguous and not translator.looks and not (translator.dollar and multiline):
            longer = re.compile(source.replace(_END, b"(?!)"), flags)
    except (re.error, RecursionError, OverflowError) as error:
        raise RegexError("Invalid regular expression") from error
    return Pattern(first, longer, translator.groups, translator.degree, check)
