"""Reads words: quotes, parameters, substitutions (POSIX XCU 2.2, 2.6)."""

from __future__ import annotations

import re
from typing import Final

from builder.world.shell.language.substitutions import SubstitutionReader
from builder.world.shell.language.syntax import (
    DoubleQuoted,
    Literal,
    Part,
    Quoted,
    Word,
)

BLANKS: Final = " \t\n;&|<>()"
"""The characters that end a word when they are not quoted."""

_PLAIN: Final = {
    stop: re.compile("[^" + re.escape(stop) + "\\\\'\"$`]+")
    for stop in (BLANKS, "}", "/}", ":}", " \t\n", "")
}
_PLAIN_IN_QUOTES: Final = {
    end: re.compile("[^" + re.escape(end) + '\\\\"$`]+') for end in ('"', "}", "/}", ":}", "")
}
_PLAIN_IN_DOCUMENT: Final = re.compile(r"[^\\$`]+")


def add_literal(parts: list[Part], text: str) -> None:
    """Append plain text to ``parts``, joined with plain text before it."""
    if parts and isinstance(parts[-1], Literal):
        parts[-1] = Literal(parts[-1].text + text)
    else:
        parts.append(Literal(text))


class WordReader(SubstitutionReader):
    """Reads words, with all their quotes."""

    def read_word(self, stop: str = BLANKS) -> Word:
        """The word at ``position``, up to an unquoted character of ``stop`` or the end."""
        source, plain, parts = self.source, _PLAIN[stop], list[Part]()
        size = len(source)
        while self.position < size:
            match = plain.match(source, self.position)
            if match is not None:
                add_literal(parts, match[0])
                self.position = match.end()
                if self.position >= size:
                    break
            character = source[self.position]
            if character in stop:
                break
            if character == "\\":
                self._backslash(parts)
            elif character == "'":
                self._single_quotes(parts)
            elif character == '"':
                self.position += 1
                parts.append(DoubleQuoted(self.read_quoted('"')))
            else:
                self._dollar_or_backquote(parts, quoted=False)
        return Word(tuple(parts))

    def read_quoted(self, end: str) -> tuple[Part, ...]:
        """The parts up to the closing ``end`` (consumed if it is a quote), as inside double quotes."""
        parts: list[Part] = []
        source, plain, size = self.source, _PLAIN_IN_QUOTES[end], len(self.source)
        while True:
            match = plain.match(source, self.position)
            if match is not None:
                parts.append(Quoted(match[0]))
                self.position = match.end()
            if self.position >= size:
                if end:
                    raise self.error("Unterminated quoted string")
                return tuple(parts)
            character = source[self.position]
            if character in end:
                self.position += end == '"'
                return tuple(parts)
            if character == "\\":
                self._backslash_in_quotes(parts, '$`"\\' + end.strip(":/"))
            elif character == '"':
                # Only in ${…} within quotes, where quotes nest, and in arithmetic, where they mean nothing.
                self.position += 1
                if end:
                    parts.append(DoubleQuoted(self.read_quoted('"')))
            else:
                self._dollar_or_backquote(parts, quoted=True)

    def read_document(self) -> Word:
        """All of ``source`` as the body of a here-document whose delimiter was not quoted."""
        parts: list[Part] = []
        source, size = self.source, len(self.source)
        while self.position < size:
            match = _PLAIN_IN_DOCUMENT.match(source, self.position)
            if match is not None:
                parts.append(Quoted(match[0]))
                self.position = match.end()
            elif source[self.position] == "\\":
                self._backslash_in_quotes(parts, "$`\\")
            else:
                self._dollar_or_backquote(parts, quoted=True)
        return Word((DoubleQuoted(tuple(parts)),))

    def _backslash(self, parts: list[Part]) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        self.position += 2
        if following == "":
            self.position -= 1
            add_literal(parts, "\\")
        elif following != "\n":
            parts.append(Quoted(following))

    def _backslash_in_quotes(self, parts: list[Part], special: str) -> None:
        following = self.source[self.position + 1 : self.position + 2]
        self.position += 1 + len(following)
        if following == "\n":
            return
        parts.append(Quoted(following if following and following in special else "\\" + following))

    def _single_quotes(self, parts: list[Part]) -> None:
        end = self.source.find("'", self.position + 1)
        if end < 0:
            self.position = len(self.source)
            raise self.error("Unterminated quoted string")
        parts.append(Quoted(self.source[self.position + 1 : end]))
        self.position = end + 1

    def _dollar_or_backquote(self, parts: list[Part], *, quoted: bool) -> None:
        if self.source[self.position] == "`":
            parts.append(self.backquotes(quoted=quoted))
            return
        part = self.dollar(quoted=quoted)
        if part is not None:
            parts.append(part)
        elif quoted:
            parts.append(Quoted("$"))
        else:
            add_literal(parts, "$")
