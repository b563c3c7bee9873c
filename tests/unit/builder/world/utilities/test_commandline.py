from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.world.utilities.commandline import UsageError, number, parse


def test_options_may_follow_operands():
    options = parse(["f", "-n", "3", "g"], "n:", usage="")

    assert options.operands == ("f", "g")
    assert options.value("n") == "3"


def test_a_plus_stops_at_the_first_operand():
    assert parse(["-a", "prog", "-b"], "+ab", usage="").operands == ("prog", "-b")


def test_two_dashes_end_the_options():
    assert parse(["--", "-a"], "a", usage="").operands == ("-a",)


def test_an_optional_argument_must_be_attached():
    assert parse(["-i.bak", "-i", "x"], "i::", usage="").values("i") == [".bak", ""]


def test_a_long_option_may_be_shortened_if_it_stays_clear():
    assert "r" in parse(["--rec"], "rv", {"recursive": "r", "verbose": "v"}, usage="")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-x"], "invalid option -- 'x'"),
        (["-:"], "invalid option -- ':'"),
        (["-n"], "option requires an argument -- 'n'"),
        (["--nope"], "unrecognized option '--nope'"),
        (["--lines"], "option '--lines' requires an argument"),
        (["--quiet=1"], "option '--quiet' doesn't allow an argument"),
    ],
)
def test_a_wrong_command_line_is_refused(words, message):
    with pytest.raises(UsageError) as caught:
        parse(words, "n:q", {"lines": "n", "quiet": "q"}, usage="u")

    assert caught.value.message == message


@given(st.lists(st.text(max_size=4), max_size=6))
def test_any_words_are_either_read_or_refused(words):
    try:
        options = parse(words, "ab:c::", {"all": "a", "bytes": "b"}, usage="")
    except UsageError:
        return
    assert len(options.operands) <= len(words)


@given(st.text(max_size=6))
def test_a_number_is_read_or_refused(text):
    try:
        assert number(text, {"": 1, "k": 1024}) >= 0
    except UsageError as error:
        assert text in error.message
