r"""Variables, quotes and escapes in the words of a Dockerfile.

The rules are those of BuildKit's shell lexer (frontend/dockerfile/shell, ``lex.go``) and of the Dockerfile
reference, "Environment replacement". RUN, CMD and ENTRYPOINT in shell form are not expanded here: the
shell does that.

>>> expand("${tag:-latest} '$tag' \\$tag", {}.get)
'latest $tag $tag'
"""

from __future__ import annotations

import re
from typing import Final

from builder.dockerfile.variables.reader import Dialect as Dialect
from builder.dockerfile.variables.reader import ExpansionError as ExpansionError
from builder.dockerfile.variables.reader import Lookup as Lookup
from builder.dockerfile.variables.reader import Piece, Quotes, Reader
from builder.dockerfile.variables.words import SPACE

MAX_DOCUMENT: Final = 16 * 1024 * 1024
"""No expanded heredoc is longer."""


def expand(word: str, lookup: Lookup, escape: str = "\\") -> str:
    """``word`` with its variables replaced and its quotes and escapes removed; blanks stay.

    Raises ExpansionError.
    """
    return "".join(text for text, _ in Reader(word, lookup, Dialect(escape)).read())


def expand_words(word: str, lookup: Lookup, escape: str = "\\") -> list[str]:
    """``word`` expanded and then cut at blanks that no quotes or escapes protect (EXPOSE)."""
    return _words(Reader(word, lookup, Dialect(escape)).read())


def expand_document(content: str, lookup: Lookup) -> str:
    """The content of a heredoc that COPY or ADD writes: variables and backslashes count, quotes do not."""
    dialect = Dialect(quotes=Quotes.ORDINARY, limit=MAX_DOCUMENT)
    return "".join(text for text, _ in Reader(content, lookup, dialect).read())


def cut(text: str, dialect: Dialect) -> list[str]:
    """The shell words of ``text`` where no variable is set."""
    return _words(Reader(text, _unset, dialect).read())


def variables(word: str, escape: str = "\\") -> frozenset[str]:
    """The names of the variables that ``word`` asks for; those that it can be read up to, if it is wrong."""
    names: set[str] = set()

    def note(name: str) -> None:
        names.add(name)

    try:
        expand(word, note, escape)
    except ExpansionError:
        pass
    return frozenset(names)


def variables_in_document(content: str) -> frozenset[str]:
    """The names of the variables that a heredoc of COPY or ADD asks for."""
    names: set[str] = set()

    def note(name: str) -> None:
        names.add(name)

    try:
        expand_document(content, note)
    except ExpansionError:
        pass
    return frozenset(names)


def _unset(_name: str) -> None:
    return None


def _words(pieces: list[Piece]) -> list[str]:
    words: list[str] = []
    word: list[str] = []
    for text, separable in pieces:
        if not separable:
            word.append(text)
            continue
        first, *others = re.split(f"[{SPACE}]", text)
        word.append(first)
        for other in others:
            words.append("".join(word))
            word = [other]
    words.append("".join(word))
    return [each for each in words if each]
