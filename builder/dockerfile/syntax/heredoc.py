"""Here-documents: ``RUN <<EOF``, ``COPY <<a.txt <<b.txt /dir/`` (Dockerfile reference, "Here-Documents")."""

from __future__ import annotations

import re
from typing import Final

from builder.dockerfile.variables.expand import cut
from builder.dockerfile.variables.reader import Dialect, ExpansionError, Quotes
from unionfs_sim.nodes.record import Record, replace

_MARK: Final = re.compile(r"(\d*)<<(-?)\s*([^<]*)", re.ASCII)
_TABS: Final = re.compile(r"^\t+", re.MULTILINE)
_AS_WRITTEN: Final = Dialect(quotes=Quotes.KEEP, escapes_stay=True, unset_stays=True)
_WITH_QUOTES: Final = Dialect(quotes=Quotes.KEEP, unset_stays=True)
_WITHOUT_QUOTES: Final = Dialect(unset_stays=True)


class Heredoc(Record):
    """One document: the lines between ``<<name`` and a line that is ``name``.

    ``quoted``: variables in it stay as they are. ``indented``: written ``<<-``, leading tabs do not count.
    ``raw`` is the content as written; ``content`` is what it means.
    """

    name: str
    quoted: bool = False
    indented: bool = False
    descriptor: int = 0
    raw: str = ""

    @property
    def content(self) -> str:
        """The text, without leading tabs if it is ``<<-``."""
        return _TABS.sub("", self.raw) if self.indented else self.raw

    def ends_with(self, line: str) -> bool:
        """Whether ``line``, without its newline, is the delimiter."""
        line = line.rstrip("\r\n")
        return (line.lstrip("\t") if self.indented else line) == self.name

    def holding(self, raw: str) -> Heredoc:
        """The same document with its text."""
        return replace(self, raw=raw)


def read_mark(word: str) -> Heredoc | None:
    """The document that the word ``<<name`` opens, still empty; None if it opens none.

    Raises ExpansionError for a delimiter whose quotes do not close.
    """
    found = _MARK.fullmatch(word)
    if found is None or not found[3]:
        return None
    plain = cut(found[3], _WITHOUT_QUOTES)
    if len(plain) != 1:
        return None
    with_quotes = cut(found[3], _WITH_QUOTES)
    quoted = sum(map(plain[0].count, "'\"")) != sum(map("".join(with_quotes).count, "'\""))
    return Heredoc(plain[0], quoted, found[2] == "-", int(found[1][:9] or "0"))


def marks(line: str) -> list[Heredoc]:
    """The documents that a whole instruction opens, in order; none if its quotes do not close."""
    try:
        words = cut(line, _AS_WRITTEN)
    except ExpansionError:
        # BuildKit: ``RUN echo it's <<EOF`` opens nothing, because the line is no list of shell words.
        return []
    return [mark for word in words if (mark := read_mark(word)) is not None]
