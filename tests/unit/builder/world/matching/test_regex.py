from __future__ import annotations

import time

import pytest

from builder.world.matching.regex import RegexError, compiled


@pytest.mark.parametrize(
    ("pattern", "text", "longest"),
    [
        (b"foo|foobar", b"a foobar", b"foobar"),
        (b"(a|ab)(c|bcd)", b"xabcd", b"abcd"),
        (b"(a*)(ab)*", b"aab", b"aab"),
        (b"x?(xy)?", b"xyz", b"xy"),
        (b"a|ab$", b"ab", b"ab"),
        (b"a|ab$", b"abc", b"a"),
        (b"^(one|one two)", b"one two three", b"one two"),
    ],
)
def test_the_leftmost_match_is_the_longest_one(pattern, text, longest):
    assert compiled(pattern, extended=True).search(text)[0] == longest


@pytest.mark.parametrize(
    ("pattern", "extended"),
    [
        (b"[", True),
        (b"(", True),
        (rb"\(", False),
        (rb"a\{1", False),
        (b"a\\", True),
        (b"[[:no:]]", True),
        (b"[z-a]", True),
        (rb"\1", False),
        (b"(a)\\2", True),
        (rb"\{1\}a", False),
    ],
)
def test_what_posix_forbids_is_refused(pattern, extended):
    with pytest.raises(RegexError):
        compiled(pattern, extended=extended)


def test_a_repeated_repetition_is_no_possessive_quantifier_of_python():
    assert compiled(b"a*+b", extended=True).search(b"aab")[0] == b"aab"


def test_a_bracket_takes_a_backslash_as_it_stands():
    assert compiled(rb"[\n]").search(b"\\")[0] == b"\\"


def test_case_can_be_ignored():
    assert compiled(b"abc", ignore_case=True).matches(b"xABCx")


def test_under_newline_sensitivity_anchors_match_at_lines_and_a_dot_stops_there():
    pattern = compiled(b"^b.*$", multiline=True)

    assert pattern.search(b"a\nbc\nd")[0] == b"bc"


def test_a_line_beyond_the_limit_is_searched_in_reasonable_time():
    began = time.monotonic()

    compiled(b"(a|ab)*c|b", extended=True).search(b"ab" * 50_000)

    assert time.monotonic() - began < 5
