"""Turns text into tokens: operators, words, descriptor numbers, here-documents (POSIX XCU 2.3)."""

from __future__ import annotations

from typing import Final

from builder.world.shell.errors import ShellSyntaxError
from builder.world.shell.language.reading import Kind, Reading
from builder.world.shell.language.syntax import DoubleQuoted, Literal, Quoted, Word
from builder.world.shell.language.words import BLANKS, read_document, read_word

CLOSING: Final = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
RESERVED: Final = frozenset({*CLOSING, "if", "for", "while", "until", "case", "in", "{", "!"})
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


def advance(reading: Reading) -> None:
    """Go to the next token."""
    match = reading.tokens.match(reading.source, reading.position)
    assert match is not None, "the pattern matches the empty text"
    which = match.lastindex
    if which is not None:
        reading.start = match.start(which)
        reading.position = match.end()
        reading.text = text = match[which]
        if which == 2:
            reading.kind = Kind.WORD
            reading.word = Word((Literal(text),))
            return
        reading.kind = Kind.OPERATOR
        if text == "\n" and reading.documents:
            _read_documents(reading)
        return
    reading.start = reading.position = match.end()
    if reading.position >= len(reading.source):
        reading.kind, reading.text = Kind.END, ""
        if reading.documents:
            _read_documents(reading)
        return
    _read_long_word(reading)


def _read_long_word(reading: Reading) -> None:
    reading.word = word = read_word(reading, BLANKS)
    reading.kind = Kind.WORD
    parts = word.parts
    reading.text = parts[0].text if len(parts) == 1 and isinstance(parts[0], Literal) else ""
    following = reading.source[reading.position : reading.position + 1]
    if following in ("<", ">") and reading.text.isdigit() and reading.text.isascii():
        reading.kind = Kind.NUMBER


def _read_documents(reading: Reading) -> None:
    for document, operator, target in reading.documents:
        delimiter, quoted = quoted_text(target)
        text = _document(reading, delimiter, strip_tabs=operator == "<<-")
        document.body = Word((Quoted(text),)) if quoted else read_document(reading.reader(text, reading.line))
    reading.documents = []


def _document(reading: Reading, delimiter: str, *, strip_tabs: bool) -> str:
    lines: list[str] = []
    source = reading.source
    while reading.position < len(source):
        end = source.find("\n", reading.position)
        newline = "\n" if end >= 0 else ""
        end = len(source) if end < 0 else end
        line = source[reading.position : end]
        reading.position = end + len(newline)
        if strip_tabs:
            line = line.lstrip("\t")
        if line == delimiter:
            break
        lines.append(line + newline)
    return "".join(lines)


def unexpected(reading: Reading, expecting: str | None = None) -> ShellSyntaxError:
    """The error for a token that cannot stand here, worded as dash words it."""
    if reading.kind is Kind.END:
        what = "end of file"
    elif reading.kind is Kind.OPERATOR:
        what = (
            "newline"
            if reading.text == "\n"
            else "redirection"
            if reading.text in REDIRECTIONS
            else f'"{reading.text}"'
        )
    else:
        what = f'"{reading.text}"' if reading.text in RESERVED else "word"
    error = reading.error(f"{what} unexpected" + (f" (expecting {expecting})" if expecting else ""))
    error.line = reading.line_at(min(reading.start, len(reading.source)))
    return error


def expect(reading: Reading, word: str) -> None:
    """Go past a reserved word that must stand here."""
    if not reading.is_reserved(word):
        raise unexpected(reading, f'"{word}"')
    advance(reading)


def expect_operator(reading: Reading, operator: str) -> None:
    """Go past an operator that must stand here."""
    if not reading.is_operator(operator):
        raise unexpected(reading, f'"{operator}"')
    advance(reading)


def skip_newlines(reading: Reading) -> None:
    """Go to the next token that is no newline."""
    while reading.kind is Kind.OPERATOR and reading.text == "\n":
        advance(reading)
