"""What a shell says when something is wrong, word for word as the real one says it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Sh = Callable[..., tuple[int, str]]


@pytest.mark.parametrize(
    ("script", "message", "status"),
    [
        ("foo", "dash: 1: foo: not found\n", 127),
        ("\n\nfoo", "dash: 3: foo: not found\n", 127),
        ("/bin", "dash: 1: /bin: Permission denied\n", 126),
        ("cat </none", "dash: 1: cannot open /none: No such file\n", 2),
        ("echo x >/none/x", "dash: 1: cannot create /none/x: Directory nonexistent\n", 2),
        ("cd /none", "dash: 1: cd: can't cd to /none\n", 2),
        ("echo ${x?}", "dash: 1: x: parameter not set\n", 2),
        ("echo ${x:?is missing}", "dash: 1: x: is missing\n", 2),
        ("set -u; echo $x", "dash: 1: x: parameter not set\n", 2),
        ("readonly r=1; r=2", "dash: 1: r: is read only\n", 2),
        ("echo $((1+))", 'dash: 1: arithmetic expression: expecting primary: "1+"\n', 2),
        ("echo $((1/0))", 'dash: 1: arithmetic expression: division by zero: "1/0"\n', 2),
        ("x=foo; echo $((x))", "dash: 1: Illegal number: foo\n", 2),
        ("echo ${x!}", "dash: 1: Bad substitution\n", 2),
        ("if true; then fi", 'dash: 1: Syntax error: "fi" unexpected\n', 2),
        ("if\ntrue; fi", 'dash: 2: Syntax error: "fi" unexpected (expecting "then")\n', 2),
        ("(echo", 'dash: 1: Syntax error: end of file unexpected (expecting ")")\n', 2),
        ("echo 'abc", "dash: 1: Syntax error: Unterminated quoted string\n", 2),
        ("eval 'if'", 'dash: 1: eval: Syntax error: end of file unexpected (expecting "then")\n', 2),
        ("shift 3", "dash: 1: shift: can't shift that many\n", 2),
        ("set -o pipefail", "dash: 1: set: Illegal option -o pipefail\n", 2),
        (". ./none", "dash: 1: .: cannot open ./none: No such file\n", 2),
        ("[ x -eq 1 ]", "dash: 1: [: Illegal number: x\n", 2),
        ("exec none", "dash: 1: exec: none: not found\n", 127),
        ("f() { f; }; f", "dash: 1: Maximum function recursion depth (1000) reached\n", 2),
    ],
)
def test_dash_words_an_error(sh: Sh, script: str, message: str, status: int) -> None:
    assert sh(script) == (status, message)


@pytest.mark.parametrize(
    ("script", "message", "status"),
    [
        ("foo", "ash: foo: not found\n", 127),
        ("cd /none", "ash: cd: line 1: can't cd to /none: No such file or directory\n", 2),
        ("if", 'ash: syntax error: unexpected end of file (expecting "then")\n', 2),
        ("cat </none", "ash: can't open /none: no such file\n", 1),
    ],
)
def test_busybox_words_an_error(sh: Sh, script: str, message: str, status: int) -> None:
    assert sh(script, shell="ash") == (status, message)


def test_bash_words_an_unknown_command(sh: Sh) -> None:
    assert sh("foo", shell="bash") == (127, "bash: line 1: foo: command not found\n")


def test_a_command_that_is_spelt_almost_right_is_named(sh: Sh) -> None:
    status, said = sh("toch file")

    assert (status, said) == (127, "dash: 1: toch: not found\ndash: 1: toch: did you mean touch?\n")


def test_a_program_that_is_simulated_but_not_installed_says_so(sh: Sh) -> None:
    status, said = sh("sed p")

    assert status == 127
    assert "it is simulated, but not installed in this image" in said


@pytest.mark.parametrize("program", ["npm", "pip", "go", "git", "python3", "perl", "cargo"])
def test_a_program_that_nothing_here_simulates_is_never_called_simulated(sh: Sh, program: str) -> None:
    status, said = sh(f"{program} install x")

    assert status == 127
    assert said.endswith(f"{program}: it is not simulated: a real build can run it (--strategy rootless)\n")


def test_the_trace_goes_to_the_standard_error_that_was_there_before(sh: Sh) -> None:
    assert sh("set -x; a=1 b='x y' echo hi 2>/dev/null") == (0, "+ a=1 b=x y echo hi\nhi\n")


def test_a_file_that_is_no_program_is_refused_by_exec_format(sh: Sh, machine: object) -> None:
    status, said = sh("printf 'a\\0b' >/tmp/x; echo; cat /bin/cat >/dev/null; /tmp/x")

    assert (status, said.splitlines()[-1]) == (126, "dash: 1: /tmp/x: Permission denied")


@pytest.mark.parametrize(
    ("script", "hint"),
    [
        ("a=(1 2)", "arrays are not simulated (a=(…)): use positional parameters"),
        ("echo ${a[0]}", "arrays are not simulated (${a[…]})"),
        ("cat <(echo)", "process substitution <(…) is not simulated"),
        ("for ((i=0;i<3;i++)); do :; done", "for ((…)) is not simulated"),
        ("declare -A m", "arrays are not simulated"),
    ],
)
def test_what_bash_has_and_the_simulation_has_not_is_refused_by_name(sh: Sh, script: str, hint: str) -> None:
    status, said = sh(script, shell="bash")

    assert status == 2
    assert hint in said
