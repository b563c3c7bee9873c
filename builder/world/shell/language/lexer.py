"""Turns text into tokens: operators, words, descriptor numbers, here-documents (POSIX XCU 2.3)."""

from __future__ import annotations

import enum
import re
from typing import Final

from builder.world.shell.dialect import Dialect
from builder.world.shell.language.syntax import DoubleQuoted, HereDocument, Literal, Quoted, Word
from builder.world.shell.language.words import BLANKS, WordReader


class Kind(enum.Enum):
    """What a token is."""

    OPERATOR = "operator"
    WORD = "word"
    NUMBER = "descriptor number"
    END = "end of file"


_OPERATORS: Final = r"\n|&&|\|\||;;|<<-|<<|>>|<&|>&|<>|>\||[&|;<>()]"
_SKIPPED: Final = r"(?:[ \t]|\\\n)*(?:\#[^\n]*)?"
# A plain word that no redirection follows: nine of ten tokens need nothing but this match.
_PLAIN_WORD: Final = r"([^ \t\n;&|<>()\\'\"$`]+)(?=[ \t\n;&|()]|\Z)"
_TOKEN: Final = {
    Dialect.DASH: re.compile(f"{_SKIPPED}(?:({_OPERATORS})|{_PLAIN_WORD})?"),
    Dialect.ASH: re.compile(rf"{_SKIPPED}(?:(&>>|&>|<<<|{_OPERATORS})|{_PLAIN_WORD})?"),
    Dialect.BASH: re.compile(rf"{_SKIPPED}(?:(&>>|&>|<<<|\|&|;;&|;&|{_OPERATORS})|{_PLAIN_WORD})?"),
}
REDIRECTIONS: Final = frozenset({"<", ">", ">>", "<<", "<<-", "<&", ">&", "<>", ">|", "&>", "&>>", "<<<"})


def quoted_text(word: Word) -> tuple[str, bool]:
    """The delimiter that ``word`` spells once its quotes are gone, and whether it had any."""
    text: list[str] = []
    quoted = False
    for part in word.parts:
        match part:
            case Literal(piece):
                text.append(piece)
            case Quoted(piece):
                text.append(piece)
                quoted = True
            case DoubleQuoted(parts):
                quoted = True
                text.extend(inner.text for inner in parts if isinstance(inner, Quoted))
            case _:
                pass
    return "".join(text), quoted


class Lexer(WordReader):
    """Holds one token at a time: ``kind``, ``text`` and, for a word, ``word``.

    ``text`` is the operator, or the word if it is one plain literal, else "" (so that a quoted word is never
    taken for a reserved one). ``start`` is where the token begins.
    """

    def __init__(self, source: str, position: int, dialect: Dialect, first_line: int) -> None:
        super().__init__(source, position, dialect, first_line)
        self._pattern = _TOKEN[dialect]
        self.documents: list[tuple[HereDocument, str, Word]] = []
        """Whose lines begin after the next newline: the document, its operator and its delimiter."""
        self.kind = Kind.END
        self.text = ""
        self.word = Word(())
        self.start = position

    def advance(self) -> None:
        """Go to the next token."""
        match = self._pattern.match(self.source, self.position)
        assert match is not None, "the pattern matches the empty text"
        which = match.lastindex
        if which is not None:
            self.start = match.start(which)
            self.position = match.end()
            self.text = text = match[which]
            if which == 2:
                self.kind = Kind.WORD
                self.word = Word((Literal(text),))
                return
            self.kind = Kind.OPERATOR
            if text == "\n" and self.documents:
                self._read_documents()
            return
        self.start = self.position = match.end()
        if self.position >= len(self.source):
            self.kind, self.text = Kind.END, ""
            if self.documents:
                self._read_documents()
            return
        self._read_long_word()

    def _read_long_word(self) -> None:
        self.word = word = self.read_word(BLANKS)
        self.kind = Kind.WORD
        parts = word.parts
        self.text = parts[0].text if len(parts) == 1 and isinstance(parts[0], Literal) else ""
        following = self.source[self.position : self.position + 1]
        if following in ("<", ">") and self.text.isdigit() and self.text.isascii():
            self.kind = Kind.NUMBER

    def _read_documents(self) -> None:
        for document, operator, target in self.documents:
            delimiter, quoted = quoted_text(target)
            text = self._document(delimiter, strip_tabs=operator == "<<-")
            document.body = Word((Quoted(text),)) if quoted else self.reader(text, self.line).read_document()
        self.documents = []

    def _document(self, delimiter: str, *, strip_tabs: bool) -> str:
        lines: list[str] = []
        source = self.source
        while self.position < len(source):
            end = source.find("\n", self.position)
            newline = "\n" if end >= 0 else ""
            end = len(source) if end < 0 else end
            line = source[self.position : end]
            self.position = end + len(newline)
            if strip_tabs:
                line = line.lstrip("\t")
            if line == delimiter:
                break
            lines.append(line + newline)
        return "".join(lines)
