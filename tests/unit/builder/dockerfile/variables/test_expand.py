"""Dockerfile reference, "Environment replacement"; BuildKit's shell lexer."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.dockerfile.variables.expand import (
    ExpansionError,
    expand,
    expand_document,
    expand_words,
    variables,
)
from builder.dockerfile.variables.pattern import Pattern
from builder.dockerfile.variables.reader import MAX_WORD

VALUES = {
    "name": "foobarfoobar",
    "path": "/usr/lib/a.tar.gz",
    "empty": "",
    "words": "one two",
    "star": "a*b",
}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("$name", "foobarfoobar"),
        ("${name}_x", "foobarfoobar_x"),
        ("$name_x", ""),
        ("$unset", ""),
        ("a$", "a$"),
        ("$$name", "name"),
        ("$1st", "st"),
        ("${unset:-word}", "word"),
        ("${empty:-word}", "word"),
        ("${empty-word}", ""),
        ("${unset-word}", "word"),
        ("${name:-word}", "foobarfoobar"),
        ("${name:+word}", "word"),
        ("${empty:+word}", ""),
        ("${empty+word}", "word"),
        ("${unset+word}", ""),
        ("${name:?message}", "foobarfoobar"),
        ("${empty?message}", ""),
        ("${unset:-${name}}", "foobarfoobar"),
        ("${unset:-a b}", "a b"),
        ("${unset:-'a}b'}", "a}b"),
        ("${name#f*o}", "obarfoobar"),
        ("${name##f*o}", "bar"),
        ("${name#x}", "foobarfoobar"),
        ("${name%o*}", "foobarfo"),
        ("${name%%o*}", "f"),
        ("${path##*/}", "a.tar.gz"),
        ("${path%.*}", "/usr/lib/a.tar"),
        ("${path%%.*}", "/usr/lib/a"),
        ("${star#a\\*}", "b"),
        ("${name#???}", "barfoobar"),
        ("${name/o/0}", "f0obarfoobar"),
        ("${name//o/0}", "f00barf00bar"),
        ("${name//o/}", "fbarfbar"),
        ("${name/f*r/x}", "x"),
        ("${path//\\//-}", "-usr-lib-a.tar.gz"),
        ("${unset//a/b}", ""),
        ("'$name'", "$name"),
        ('"$name"', "foobarfoobar"),
        ("\\$name", "$name"),
        ("\\\\$name", "\\foobarfoobar"),
        ('"a\\"b\\$c\\d"', 'a"b$c\\d'),
        ("a\\ b", "a b"),
        ("ends\\", "ends"),
    ],
)
def test_a_word_is_replaced_as_the_reference_says(word: str, expected: str) -> None:
    assert expand(word, VALUES.get) == expected


@pytest.mark.parametrize(
    "word",
    [
        *("${", "${name", "${}", "${:-x}", "${{name}", "${name:-x", "${name^^}", "${name:1:2}", "${#name}"),
        *("${name:#x}", "${name:x}", "${name/a}", "${name/a/b", "'open", '"open', "${name#\\a}", "${name=x}"),
        *("${unset:?why}", "${empty:?why}", "${unset?why}"),
    ],
)
def test_a_word_that_means_nothing_is_refused(word: str) -> None:
    with pytest.raises(ExpansionError):
        expand(word, VALUES.get)


def test_the_message_of_a_required_variable_is_shown_and_how_to_set_it() -> None:
    with pytest.raises(ExpansionError, match="unset: set it, please") as caught:
        expand("${unset:?set it, please}", VALUES.get)

    assert caught.value.fix is not None
    assert "--build-arg unset=" in caught.value.fix


def test_a_backtick_escapes_where_the_directive_says_so() -> None:
    assert expand("`$name \\$name", VALUES.get, "`") == "$name \\foobarfoobar"


def test_words_are_cut_at_the_blanks_of_values_but_not_of_quotes() -> None:
    assert expand_words("""$words "a $words" 'b c' d\\ e""", VALUES.get) == [
        "one",
        "two",
        "a one two",
        "b c",
        "d e",
    ]


def test_quotes_in_a_document_are_characters_and_backslashes_escape() -> None:
    assert expand_document('it\'s "$name" \\$name\n', VALUES.get) == 'it\'s "foobarfoobar" $name\n'


def test_variables_are_the_names_that_a_word_asks_for() -> None:
    assert variables("$a ${b:-$c} '$d' \\$e") == {"a", "b", "c"}


def test_a_variable_that_doubles_itself_is_stopped_before_it_fills_the_memory() -> None:
    value = "x" * (MAX_WORD // 2 + 1)

    with pytest.raises(ExpansionError, match="longer than"):
        expand("$a$a", {"a": value}.get)


def test_a_replacement_that_multiplies_is_stopped_before_it_fills_the_memory() -> None:
    values = {"a": "x" * 100_000, "b": "y" * 100_000}

    with pytest.raises(ExpansionError, match="more than"):
        expand("${a//x/" + "y" * 1000 + "}", values.get)


def test_deep_nesting_is_an_error_not_a_traceback() -> None:
    with pytest.raises(ExpansionError, match="inside each other"):
        expand("${a:-" * 5000 + "}" * 5000, {}.get)


def test_a_pattern_full_of_stars_does_not_take_for_ever() -> None:
    value = "a" * 100_000

    assert expand("${a##" + "*a" * 300 + "*b}", {"a": value}.get) == value
    assert expand("${a%%" + "a*?" * 300 + "b}", {"a": value}.get) == value


@given(st.text(alphabet="ab*?", max_size=6), st.text(alphabet="ab", max_size=8))
def test_a_pattern_matches_the_shortest_and_longest_beginning_that_fnmatch_knows(
    pattern: str, value: str
) -> None:
    lengths = [n for n in range(len(value) + 1) if fnmatch.fnmatchcase(value[:n], pattern)]

    assert Pattern.parse(pattern).shortest(value) == min(lengths, default=-1)
    assert Pattern.parse(pattern).longest(value) == max(lengths, default=-1)


@given(st.text(alphabet="ab*?", max_size=5), st.text(alphabet="ab", max_size=8))
def test_a_search_finds_the_leftmost_then_longest_match(pattern: str, value: str) -> None:
    matches = [
        (begin, -end)
        for begin in range(len(value) + 1)
        for end in range(begin, len(value) + 1)
        if fnmatch.fnmatchcase(value[begin:end], pattern)
    ]
    expected = None if not matches else (min(matches)[0], -min(matches)[1])

    assert Pattern.parse(pattern).search(value, 0) == expected


@given(st.text(max_size=40))
def test_any_text_is_expanded_or_refused(word: str) -> None:
    try:
        expand(word, VALUES.get)
    except ExpansionError:
        pass
