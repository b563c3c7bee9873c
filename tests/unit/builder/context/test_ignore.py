"""moby's .dockerignore rules: patternmatcher and ignorefile."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.context.ignore import IgnoreFile
from builder.context.wildcard import translate
from builder.errors import ContextError


def excluded(rules: str, *paths: str) -> list[str]:
    """Those of ``paths`` that the rules keep out."""
    ignore = IgnoreFile.parse(rules)
    return [path for path in paths if ignore.matches(path) is not None]


@pytest.mark.parametrize(
    ("rules", "out", "in_"),
    [
        ("a", ["a", "a/b", "a/b/c"], ["b", "b/a", "ab", "A"]),
        ("/a", ["a", "a/b"], ["b/a"]),
        ("./a/", ["a", "a/b"], ["b"]),
        ("a/../b//c", ["b/c", "b/c/d"], ["a", "b"]),
        ("  a  ", ["a"], [" a"]),
        ("*.log", ["x.log", "x.log/y"], ["d/x.log", "log"]),
        ("*/x", ["a/x", "a/x/y"], ["x", "a/b/x"]),
        ("**/x", ["x", "a/x", "a/b/x", "a/x/y"], ["ax"]),
        ("**/*.go", ["a.go", "d/a.go"], ["a.c"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/xb", "b"]),
        ("a**", ["a", "ab", "ab/c", "a/b"], ["b"]),
        ("**a", ["a", "ba", "x/ba"], ["ab"]),
        ("a**b", ["ab", "a/b", "ax/b"], ["axb"]),
        ("**", ["a", "a/b"], []),
        ("a?c", ["abc"], ["ac", "a/c", "abbc"]),
        ("[ab]x", ["ax", "bx"], ["cx"]),
        ("[^a]x", ["bx"], ["ax"]),
        ("[!a]x", ["ax", "!x"], ["bx"]),
        ("[a-c]x", ["bx"], ["dx"]),
        ("\\*", ["*"], ["a"]),
        ("a\\[b", ["a[b"], ["ab"]),
        ("a.b", ["a.b"], ["aXb"]),
        ("{a,b}", ["{a,b}"], ["a", "b"]),
        ("(a|b)+$", ["(a|b)+$"], ["a"]),
        ("#a", [], ["#a", "a"]),
        (" #a", ["#a"], ["a"]),
        ("\\#a", ["#a"], ["a"]),
        ("*\n!a", ["b", "b/c"], ["a", "a/b"]),
        ("a\n!a/b", ["a", "a/c"], ["a/b", "a/b/c"]),
        ("*.md\n!README*.md\nREADME-secret.md", ["x.md", "README-secret.md"], ["README.md"]),
        ("!a\na", ["a"], []),
        ("! a", [], ["a"]),
        ("\ufeffa", ["a"], []),
        ("a\r\nb\r\n", ["a", "b"], []),
        (".", [], ["a"]),
        ("/", [], ["a"]),
        ("", [], ["a"]),
        ("größe/*", ["größe/1"], ["größe"]),
    ],
)
def test_rules_keep_out_what_moby_keeps_out(rules: str, out: list[str], in_: list[str]) -> None:
    assert excluded(rules, *out, *in_) == out


def test_the_context_itself_is_never_excluded() -> None:
    assert excluded("**", "", ".", "/") == []


def test_the_last_rule_that_matches_is_named_with_its_line() -> None:
    ignore = IgnoreFile.parse("# logs\n*.log\n\n!keep.log\n")

    assert str(ignore.matches("a.log")) == "line 2: *.log"
    assert ignore.matches("keep.log") is None
    assert str(ignore.match("keep.log")) == "line 4: !keep.log"
    assert ignore.match("other") is None


@pytest.mark.parametrize(
    "pattern", ["[", "[]", "[^]", "[a", "[a-", "[-a]", "a\\", "[z-a]", "!", "! ", "!/", "\\q"]
)
def test_a_bad_pattern_is_an_error_that_names_the_line(pattern: str) -> None:
    with pytest.raises(ContextError) as caught:
        IgnoreFile.parse(f"ok\n{pattern}\n")

    assert caught.value.where == ".dockerignore:2"
    assert caught.value.fix


def test_a_nul_byte_is_an_error_that_names_the_line() -> None:
    with pytest.raises(ContextError, match=re.escape(".dockerignore:1: a NUL byte")):
        IgnoreFile.parse(b"a\0b")


def test_a_file_that_is_too_large_is_refused() -> None:
    with pytest.raises(ContextError, match="more than"):
        IgnoreFile.parse(b"a\n" * 600_000)


def test_names_that_are_not_utf_8_can_be_excluded() -> None:
    ignore = IgnoreFile.parse(b"gr\xf6\xdfe*")

    assert ignore.matches(b"gr\xf6\xdfe.txt".decode("utf-8", "surrogateescape")) is not None


def test_patterns_of_an_option_have_no_comments_and_keep_their_slash() -> None:
    ignore = IgnoreFile.of(["#a", "/b", "*.o"])

    assert ignore.matches("#a") is not None
    assert ignore.matches("b") is None
    assert ignore.matches("x.o") is not None


@pytest.mark.parametrize(
    ("rules", "directory", "expected"),
    [
        ("a", "a", True),
        ("a", "a/b", True),
        ("a", "b", False),
        ("a\n!a/b", "a", False),
        ("a\n!a/b", "a/c", True),
        ("a\n!c/d", "a", True),
        ("a\n!**/keep", "a", False),
        ("a\n!a*/keep", "a", False),
        ("a/b\n!a", "a/b", False),
    ],
)
def test_a_directory_is_passed_over_only_if_nothing_in_it_can_come_back(
    rules: str, directory: str, expected: bool
) -> None:
    assert IgnoreFile.parse(rules).excludes_all_below(directory) is expected


def test_many_stars_do_not_take_for_ever() -> None:
    ignore = IgnoreFile.parse("*a*a*a*a*a*a*a*a*b\n**/a/**/a/**/a/**/a/**/b\n")

    assert ignore.matches("a" * 255) is None
    assert ignore.matches("a/" * 1000 + "a") is None


def test_a_deep_path_is_matched_without_recursion() -> None:
    assert IgnoreFile.parse("a/**/z").matches("a/" * 2_000 + "z") is not None


@given(st.text(alphabet="ab*?/", min_size=1, max_size=7), st.text(alphabet="ab/", min_size=1, max_size=8))
def test_a_translated_pattern_means_what_its_plain_reading_means(pattern: str, path: str) -> None:
    """Atomic groups are there for speed: without them the answer is the same."""
    regex = translate(pattern)
    if regex is None or "(?>" not in regex:
        return
    plain = regex.replace("(?>", "(?:")

    assert bool(re.match(regex, path)) == bool(re.match(plain, path))


@given(
    st.lists(st.text(alphabet="ab*?/!.[]^\\", max_size=6), max_size=4), st.text(alphabet="ab/", max_size=9)
)
def test_a_path_below_an_excluded_directory_that_is_passed_over_is_excluded(
    lines: list[str], path: str
) -> None:
    try:
        ignore = IgnoreFile.parse("\n".join(lines))
    except ContextError:
        return
    path = "/".join(filter(None, path.split("/")))
    parents = [path[:at] for at, sign in enumerate(path) if sign == "/"]

    if any(ignore.excludes_all_below(parent) for parent in parents):
        assert ignore.matches(path) is not None
