"""Arithmetic expansion computes what C computes, on 64 bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError
from builder.world.shell.expansion.arithmetic import evaluate, integer, wrapped
from builder.world.shell.expansion.variables import Variable, Variables

numbers = st.integers(-(1 << 62), 1 << 62)


@pytest.fixture
def names() -> Variables:
    return Variables({"x": Variable("5"), "empty": Variable(""), "hex": Variable("0x10")}, Dialect.DASH)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("1 << 4 | 1", 17),
        ("5 & 3 ^ 1", 0),
        ("~0", -1),
        ("!5 + !0", 1),
        ("1 < 2 == 1", 1),
        ("0 || 2 && 0", 0),
        ("x > 3 ? x * 2 : 0", 10),
        ("0 ? 1 : 0 ? 2 : 3", 3),
        ("010 + 0x10 + hex", 40),
        ("empty + none", 0),
        ("- -5 - -1", 6),
        ("9223372036854775807 + 1", -(1 << 63)),
        ("1 ? 2 : (1 / 1)", 2),
    ],
)
def test_an_expression_has_the_value_that_c_gives_it(names: Variables, text: str, value: int) -> None:
    assert evaluate(text, names) == value


def test_an_assignment_changes_the_variable_and_is_its_value(names: Variables) -> None:
    assert evaluate("x += y = 3", names) == 8
    assert (names.get("x"), names.get("y")) == ("8", "3")


def test_what_is_not_reached_is_not_computed(names: Variables) -> None:
    assert evaluate("0 && 1 / 0", names) == 0
    assert evaluate("1 || 1 / 0", names) == 1


@pytest.mark.parametrize("text", ["1 +", "(1", "1 2", "1 = 2", "08", "a b", "?", "1 ? 2", "x++", ""])
def test_what_is_no_expression_is_refused(names: Variables, text: str) -> None:
    with pytest.raises(ShellError, match="arithmetic expression"):
        evaluate(text, names)


@given(numbers, numbers)
def test_sums_and_products_wrap_like_64_bit_integers(a: int, b: int) -> None:
    names = Variables({"a": Variable(str(a)), "b": Variable(str(b))}, Dialect.DASH)

    assert evaluate("a + b", names) == wrapped(a + b)
    assert evaluate("a * b", names) == wrapped(a * b)


@given(numbers, numbers.filter(bool))
def test_quotient_and_remainder_belong_together(a: int, b: int) -> None:
    names = Variables({"a": Variable(str(a)), "b": Variable(str(b))}, Dialect.DASH)

    assert evaluate("a / b * b + a % b", names) == a
    assert abs(evaluate("a % b", names)) < abs(b)


@pytest.mark.parametrize(
    ("text", "value"),
    [("12", 12), (" -0x1f ", -31), ("010", 8), ("", None), ("1a", None), ("9" * 30, (1 << 63) - 1)],
)
def test_an_integer_constant_is_read_as_strtol_reads_it(text: str, value: int | None) -> None:
    assert integer(text) == value


def test_names_that_refer_to_each_other_for_ever_are_refused() -> None:
    names = Variables({"a": Variable("b"), "b": Variable("a")}, Dialect.BASH)

    with pytest.raises(ShellError, match="recursion"):
        evaluate("a", names, dialect=Dialect.BASH)
