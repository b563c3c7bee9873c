"""Shell patterns: matching, and cutting off the shortest or longest prefix and suffix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.world.matching.pattern import (
    as_bytes,
    escaped,
    from_bytes,
    matches,
    replaced,
    without_prefix,
    without_suffix,
)

patterns = st.text("ab*?[]!-\\", max_size=7)
texts = st.text("ab-!]", max_size=7)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*", "", True),
        ("?", "", False),
        ("a*c", "abbc", True),
        ("a*c*", "ac", True),
        ("[abc]", "b", True),
        ("[!abc]", "b", False),
        ("[^abc]", "d", True),
        ("[a-c]x", "bx", True),
        ("[]a]", "]", True),
        ("[!]a]", "]", False),
        ("[a-]", "-", True),
        ("[", "[", True),
        ("[a", "[a", True),
        ("[[:digit:]]*", "7up", True),
        ("[[:space:]]", "\t", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        (r"[\]]", "]", True),
        ("*\n*", "a\nb", True),
    ],
)
def test_a_pattern_matches_as_posix_has_it(pattern: str, text: str, expected: bool) -> None:
    assert matches(pattern, text) is expected


@given(texts)
def test_an_escaped_text_matches_itself_and_nothing_else(text: str) -> None:
    assert matches(escaped(text), text)
    assert not matches(escaped(text), text + "x")


@given(patterns, texts)
def test_the_shortest_prefix_is_the_first_that_matches(pattern: str, text: str) -> None:
    ends = [end for end in range(len(text) + 1) if matches(pattern, text[:end])]

    assert without_prefix(text, pattern, longest=False) == (text[ends[0] :] if ends else text)
    assert without_prefix(text, pattern, longest=True) == (text[ends[-1] :] if ends else text)


@given(patterns, texts)
def test_the_shortest_suffix_is_the_last_that_matches(pattern: str, text: str) -> None:
    starts = [start for start in range(len(text) + 1) if matches(pattern, text[start:])]

    assert without_suffix(text, pattern, longest=False) == (text[: starts[-1]] if starts else text)
    assert without_suffix(text, pattern, longest=True) == (text[: starts[0]] if starts else text)


@given(st.text(max_size=20))
def test_bytes_and_characters_convert_back_and_forth(text: str) -> None:
    assert from_bytes(as_bytes(text)) == text


def test_a_hostile_pattern_takes_no_time() -> None:
    assert not matches("*a" * 40 + "b", "a" * 20_000)
    assert without_prefix("a" * 20_000, "*a" * 40 + "b", longest=True) == "a" * 20_000


@pytest.mark.parametrize(
    ("pattern", "every", "expected"),
    [
        ("o", False, "f0o boo"),
        ("o", True, "f00 b00"),
        ("#f", False, "0oo boo"),
        ("%oo", False, "foo b0"),
        ("x", True, "foo boo"),
    ],
)
def test_a_replacement_is_made_once_or_everywhere(pattern: str, every: bool, expected: str) -> None:
    assert replaced("foo boo", pattern, "0", every=every) == expected
