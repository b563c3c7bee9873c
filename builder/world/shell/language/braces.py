"""bash's brace expansion, ``{a,b}`` and ``{1..9}``: text to words, before anything else is expanded."""

from __future__ import annotations

import itertools
import re
from typing import Final

from builder.world.shell.language.syntax import Literal, Part, Word

_RANGE: Final = re.compile(r"\{(-?\d+)\.\.(-?\d+)\}|\{([A-Za-z])\.\.([A-Za-z])\}")


def _alternatives(parts: tuple[Part, ...]) -> tuple[int, int, list[int]] | None:
    """Where the first brace group of one literal begins and ends, and its commas; None if there is none."""
    literal = parts[0]
    assert isinstance(literal, Literal), "the caller has looked"
    text, depth, commas, start = literal.text, 0, list[int](), 0
    for at, character in enumerate(text):
        if character == "{":
            if depth == 0:
                start, commas = at, []
            depth += 1
        elif character == "}" and depth:
            depth -= 1
            if depth == 0 and commas:
                return start, at, commas
        elif character == "," and depth == 1:
            commas.append(at)
    return None


def _spellings(text: str) -> list[str]:
    """The texts that ``text``'s first group stands for; ``[text]`` if it has none."""
    found = _alternatives((Literal(text),))
    run = _RANGE.search(text)
    if found is not None and (run is None or found[0] < run.start()):
        start, end, commas = found
        edges = [start, *commas, end]
        middles = [text[a + 1 : b] for a, b in itertools.pairwise(edges)]
    elif run is not None:
        start, end = run.start(), run.end() - 1
        if run[1] is not None:
            low, high = int(run[1]), int(run[2])
        else:
            low, high = ord(run[3]), ord(run[4])
        step = 1 if high >= low else -1
        middles = [
            str(number) if run[1] is not None else chr(number) for number in range(low, high + step, step)
        ]
    else:
        return [text]
    return [whole for middle in middles for whole in _spellings(text[:start] + middle + text[end + 1 :])]


def brace_expanded(word: Word) -> tuple[Word, ...]:
    """The words that ``word`` stands for, in order. A group must lie between quotes and ``$`` as a whole."""
    for at, part in enumerate(word.parts):
        if isinstance(part, Literal) and "{" in part.text:
            spellings = _spellings(part.text)
            if len(spellings) > 1 or spellings[0] != part.text:
                before, after = word.parts[:at], word.parts[at + 1 :]
                rests = brace_expanded(Word(after)) if after else (Word(()),)
                return tuple(
                    Word((*before, *((Literal(text),) if text else ()), *rest.parts))
                    for text in spellings
                    for rest in rests
                )
    return (word,)
