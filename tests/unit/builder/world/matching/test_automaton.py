"""Expressions on which ``re`` would never end: the automaton answers, and answers as ``re`` does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.world.matching.automaton import Automaton, TooMuchError
from builder.world.matching.regex import Pattern, RegexError, compiled

ATOMS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\<", "\\b"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        inner.map("({})".format),
        st.tuples(inner, inner).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{1,2}", "{2}", "{1,}"])).map("".join),
    ),
    max_leaves=8,
)


def by_re(pattern: Pattern, text: bytes) -> tuple[int, int] | None:
    """What ``re`` finds: short texts never go to the automaton."""
    found = pattern.search(text)
    return found.span() if found is not None else None


@given(EXPRESSIONS, st.sampled_from(["", "^"]), st.sampled_from(["", "$"]), st.text("abc", max_size=9))
def test_both_find_the_same(expression: str, begin: str, end: str, text: str) -> None:
    try:
        pattern = compiled(f"{begin}{expression}{end}".encode(), extended=True)
    except RegexError:
        return
    automaton = Automaton(pattern._first.pattern, pattern._first.flags, pattern.groups)

    found = automaton.search(text.encode())
    whole = automaton.search(text.encode(), anchored=True, whole=True)

    looks_beyond = "\\" in expression and pattern._longer is None
    if not looks_beyond:
        assert by_re(pattern, text.encode()) == (found.span() if found is not None else None)
    assert (pattern._first.fullmatch(text.encode()) is None) == (whole is None)


@pytest.mark.parametrize(
    "expression", ["(a*)*b", "(a|a)*b", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x", "(a?){30}a{30}b"]
)
def test_nested_repetitions_end(expression: str) -> None:
    assert compiled(expression.encode(), extended=True).search(b"a" * 3000 + b"c") is None


def test_several_repetitions_on_a_long_line_end() -> None:
    pattern = compiled(b".*x.*y.*z", extended=True)

    assert not pattern.matches(b"-" * 20_000)
    assert pattern.search(b"-" * 20_000 + b"x-y-z-").span() == (0, 20_005)  # type: ignore[union-attr]


def test_a_match_after_a_hopeless_beginning_has_its_groups() -> None:
    found = compiled(b"(a*)*(b)", extended=True).search(b"a" * 40 + b"c" + b"aab")

    assert found is not None
    assert (found.span(), found[2]) == ((41, 44), b"b")


def test_the_longest_alternative_is_taken() -> None:
    found = compiled(b"(foo|foobar)+", extended=True).search(b"-" * 30 + b"foobarfoo")

    assert found is not None
    assert found.span() == (30, 39)


def test_case_and_lines_are_what_the_flags_say() -> None:
    folded = compiled(b"(A+)+b", extended=True, ignore_case=True)
    lines = compiled(b"^(a+)+$", extended=True, multiline=True)

    assert folded.matches(b"-" * 20 + b"aAaB")
    assert lines.search(b"b" * 20 + b"\naaa\nb").span() == (21, 24)  # type: ignore[union-attr]


def test_back_references_and_huge_counts_are_left_to_re() -> None:
    with pytest.raises(TooMuchError):
        Automaton(rb"(a)(?:\1)", 0, 1)
    with pytest.raises(TooMuchError):
        Automaton(rb"(?:(?:a{1,300}){1,300})", re.DOTALL, 0)
    assert compiled(b"(a+)+\\1b", extended=True).search(b"-" * 20 + b"aab") is not None
