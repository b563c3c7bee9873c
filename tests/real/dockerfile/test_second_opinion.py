"""A port of BuildKit's lexer and of moby's matcher to Python (e2b-dockerfile-utils) agrees with ours.

Known differences are left out: the port keeps empty quoted words, takes ``^`` and escaped letters for
themselves where moby's Go expression does not, and accepts ``!/``, which moby refuses.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builder.context.ignore import IgnoreFile
from builder.dockerfile.variables.expand import ExpansionError, expand
from builder.errors import ContextError

port = pytest.importorskip("e2b_dockerfile_utils", reason="needs the package e2b-dockerfile-utils")

VALUES = {"x": "abab a/b", "E": "", "y": "q r"}
PIECES = [
    *("$", "{", "}", "x", "y", "E", "z", "$x", "${x", "${E:-", "${z-", "${x+", "${x#", "${x##", "${x%"),
    *(
        "${x%%",
        "${x/",
        "${x//",
        "/",
        "*",
        "?",
        "a",
        "b",
        "'",
        '"',
        "\\",
        "`",
        " ",
        ":",
        "-",
        "<<",
        "é",
        "1",
        "!",
    ),
]
PATTERNS = [
    *("a", "b", "ab", ".", "..", "/", "//", "*", "**", "?", "[ab]", "[^a]", "[!a]", "[a-c]", "\\*", "!", "-"),
    *("a.b", "$", "(", "é", "[", "]", "{a}", " "),
]
PATHS = [
    *(
        "a",
        "b",
        "ab",
        "a/b",
        "a/b/c",
        "b/a",
        "ab/ab",
        "a.b",
        "a/a.b",
        "x/y/z/a",
        "-",
        "!a",
        "é",
        "é/a",
        "aab",
    ),
    *("a/c/b", "ba", "[a]", "{a}", "(", "a b", "*"),
]


@settings(max_examples=700)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=7), st.sampled_from(["\\", "`"]))
def test_words_are_expanded_alike(pieces: list[str], escape: str) -> None:
    word = "".join(pieces)
    try:
        theirs = port.ShellLex(escape, env=VALUES, skip_unset_env=False).process_word(word)
    except ValueError:
        theirs = None
    try:
        ours = expand(word, VALUES.get, escape)
    except ExpansionError:
        ours = None

    assert ours == theirs


@pytest.mark.filterwarnings("ignore:Possible nested set:FutureWarning")  # the port's expressions
@settings(max_examples=500)
@given(st.lists(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=5).map("".join), max_size=3))
def test_paths_are_excluded_alike(lines: list[str]) -> None:
    assume(not any(re.fullmatch(r"\s*!\s*[/.]*\s*", line) for line in lines))
    try:
        theirs = port.PatternMatcher(lines)
    except ValueError:
        theirs = None
    try:
        ours = IgnoreFile.parse("\n".join(lines))
    except ContextError:
        ours = None

    assert (ours is None) == (theirs is None)
    if ours is not None:
        assert [path for path in PATHS if ours.matches(path)] == [
            path for path in PATHS if theirs.matches(path)
        ]
