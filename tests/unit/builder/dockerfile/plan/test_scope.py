"""Dockerfile reference, "ARG": who sees which variable, and with which value."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from builder.dockerfile.plan.scope import Scope, global_scope, platform_args, proxy_environment
from builder.dockerfile.syntax.instruction import Arg, Env
from builder.dockerfile.syntax.parser import parse
from builder.errors import DockerfileError
from builder.image.oci import Platform

AMD64 = Platform("linux", "amd64")
ARM = Platform("linux", "arm", "v7")


def after(
    text: str, *, env: Mapping[str, str] | None = None, build_args: Mapping[str, str] | None = None
) -> Scope:
    """The scope at the end of the last stage."""
    dockerfile = parse(text)
    automatic = platform_args(ARM, AMD64)
    given = build_args or {}
    globals_ = global_scope(dockerfile, platform_values=automatic, build_args=given)
    scope = Scope(env=env or {}, globals_=globals_, build_args=given)
    for each in dockerfile.stages[-1].instructions:
        if isinstance(each, Arg):
            scope.declare(each)
        elif isinstance(each, Env):
            scope.set(each.expanded(scope.lookup))
    return scope


def test_a_global_argument_is_seen_in_a_stage_only_if_it_is_declared_there() -> None:
    assert after("ARG A=1\nFROM alpine\n").lookup("A") is None
    assert after("ARG A=1\nFROM alpine\nARG A\n").lookup("A") == "1"


def test_a_default_in_the_stage_wins_over_the_global_one() -> None:
    assert after("ARG A=1\nFROM alpine\nARG A=2\n").lookup("A") == "2"


def test_a_build_argument_wins_over_every_default() -> None:
    assert after("ARG A=1\nFROM alpine\nARG A=2\n", build_args={"A": "3"}).lookup("A") == "3"


# BuildKit convert.go, dispatchEnv and dispatchArg: both call AddEnv; an ARG without a value calls nothing.
@pytest.mark.parametrize(
    ("lines", "given", "value"),
    [
        ("ENV A=env\nARG A=arg", {}, "arg"),
        ("ARG A=arg\nENV A=env", {}, "env"),
        ("ENV A=env\nARG A", {}, "env"),
        ("ENV A=env\nARG A", {"A": "cli"}, "cli"),
        ("ENV A=env\nARG A=arg", {"A": "cli"}, "cli"),
        ("ARG A\nENV A=env", {"A": "cli"}, "env"),
        ("ARG A=arg", {}, "arg"),
        ("ARG A=one\nARG A", {}, "one"),
        ("ARG A=one\nENV A=$A.two\nARG A=$A.three", {}, "one.two.three"),
    ],
)
def test_of_env_and_arg_the_later_one_wins(lines: str, given: dict[str, str], value: str) -> None:
    scope = after(f"FROM alpine\n{lines}\n", build_args=given)

    assert scope.lookup("A") == value
    assert scope.environment()["A"] == value


def test_an_argument_hides_the_environment_of_the_base_but_does_not_change_it() -> None:
    scope = after("FROM alpine\nARG A=arg\n", env={"A": "base"})

    assert (scope.lookup("A"), scope.env["A"]) == ("arg", "base")


def test_a_stage_sees_the_arguments_of_the_stage_that_it_starts_from() -> None:
    above = after("FROM alpine\nARG A=1 B\nENV C=2\nARG C=3\n")

    scope = Scope(env=above.env, below=above)

    assert scope.declared == ("A", "B", "C")
    assert (scope.lookup("A"), scope.lookup("B")) == ("1", None)
    # BuildKit toDispatchState: "initialize base metadata from image conf" sets the environment anew.
    assert scope.lookup("C") == "2"


def test_the_name_of_an_argument_is_taken_as_it_is_written() -> None:
    scope = after("FROM alpine\nARG distro=focal\nARG ${distro}=x\n")

    assert scope.lookup("focal") is None
    assert scope.lookup("${distro}") == "x"


def test_an_argument_can_be_made_to_stay_with_an_environment_variable_of_its_name() -> None:
    assert after("FROM alpine\nARG A=1\nENV A=${A:-2}\n").environment() == {"A": "1"}


def test_a_later_declaration_of_a_line_sees_the_earlier_ones() -> None:
    assert after("FROM alpine\nARG A=1 B=$A.0\n").lookup("B") == "1.0"


def test_a_declaration_without_a_value_leaves_the_variable_unset() -> None:
    scope = after("FROM alpine\nARG A\n")

    assert scope.lookup("A") is None
    assert scope.knows("A")
    assert "A" not in scope.environment()


def test_platform_arguments_are_seen_where_they_are_declared() -> None:
    scope = after("FROM alpine\nARG TARGETPLATFORM TARGETARCH TARGETVARIANT BUILDARCH\n")

    assert scope.args == {
        "TARGETPLATFORM": "linux/arm/v7",
        "TARGETARCH": "arm",
        "TARGETVARIANT": "v7",
        "BUILDARCH": "amd64",
    }


def test_proxies_reach_a_run_without_a_declaration() -> None:
    assert proxy_environment({"HTTP_PROXY": "p", "no_proxy": "q", "OTHER": "r"}) == {
        "HTTP_PROXY": "p",
        "no_proxy": "q",
    }


def test_variables_that_multiply_are_stopped() -> None:
    lines = f"ENV BIG={'x' * 60_000}\n" + "".join(f"ENV A{n}=$BIG$BIG\n" for n in range(200))

    with pytest.raises(DockerfileError, match="hold more than"):
        after(f"FROM alpine\n{lines}")
