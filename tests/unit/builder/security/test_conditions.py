"""Conditions: names and three words, nothing that could be executed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.security.conditions import parse

conditions = st.recursive(
    st.sampled_from("abc"),
    lambda inner: st.one_of(
        st.builds("not ({})".format, inner),
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
    ),
    max_leaves=8,
)


@given(conditions, st.frozensets(st.sampled_from("abc")))
def test_a_condition_means_what_python_would_take_it_for(text: str, facts: frozenset[str]) -> None:
    # the oracle is Python's own evaluation, of a text that this test wrote itself
    assert parse(text).holds(facts) == eval(text, {}, {name: name in facts for name in "abc"})


@pytest.mark.parametrize(
    "text",
    [
        "a()",
        "a.b",
        "a[0]",
        "1",
        "a < b",
        "a if b else c",
        "lambda: a",
        "a and",
        "a; b",
        "(" * 500,
        "'a'",
        "~a",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a condition"):
        parse(text)


def test_always_holds_and_asks_nothing() -> None:
    assert parse("always").holds(frozenset())
    assert parse("").names == frozenset()
