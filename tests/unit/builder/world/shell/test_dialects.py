"""What busybox's ash and bash understand beyond dash, as Dockerfiles use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Sh = Callable[..., tuple[int, str]]

BOTH = [
    ("[[ abc == a* ]] && echo yes", "yes\n"),
    ("[[ abc =~ ^a(b|x)c$ ]] && echo yes", "yes\n"),
    ("x='a b'; [[ $x == 'a b' && -n $x || -z $x ]] && echo yes", "yes\n"),
    ("[[ ! -e /none && ( 1 -lt 2 ) ]] && echo yes", "yes\n"),
    ("set -o pipefail; false | true; echo $?", "1\n"),
    ("set -o pipefail; (exit 2) | (exit 3) | true; echo $?", "3\n"),
    ("echo x >/tmp/s; printf 'y=5\\n' >/tmp/s; source /tmp/s; echo $y", "5\n"),
    ("x=a-b-c; echo ${x//-/+} ${x/-/} ${x/#a/z} ${x/%c/z}", "a+b+c ab-c z-b-c a-b-z\n"),
    ("x=hello; echo ${x:1:3} ${x:2} ${x: -2}", "ell llo lo\n"),
    ("printf '%s' $'a\\tb\\x41'", "a\tbA"),
    ("i=1; echo $((i++)) $((++i)) $i", "1 3 3\n"),
    ("cat <<<hi", "hi\n"),
    ("{ echo o; echo e >&2; } &>/tmp/f; cat /tmp/f", "o\ne\n"),
    ("let x=2+3; echo $x", "5\n"),
    ("function f { echo $1; }; f a", "a\n"),
    ("echo -e 'a\\tb'; echo 'a\\tb'", "a\tb\na\\tb\n"),
    ("x=1+2; echo $((x*2))", "6\n"),
    ("echo $((2**0)) 2>/dev/null || echo", "1\n"),
]


@pytest.mark.parametrize("shell", ["ash", "bash"])
@pytest.mark.parametrize(("script", "printed"), BOTH[:-1])
def test_ash_and_bash_understand(sh: Sh, script: str, printed: str, shell: str) -> None:
    assert sh(script, shell=shell) == (0, printed)


@pytest.mark.parametrize(
    ("script", "printed"),
    [
        ("echo {a,b}{1..3}", "a1 a2 a3 b1 b2 b3\n"),
        ("mkdir -p /tmp/{x,y/z}; ls /tmp", "x\ny\n"),
        ("echo '{a,b}' {a} {}", "{a,b} {a} {}\n"),
        ("x=ab; echo ${x^^} ${x^} ${x,,}", "AB Ab ab\n"),
        ("x=a; x+=b; echo $x", "ab\n"),
        ("if (( 3 > 2 )); then echo yes; fi", "yes\n"),
        ("{ echo o; echo e >&2; } |& tr a-z A-Z", "O\nE\n"),
        ("printf -v x '%03d' 7; echo $x", "007\n"),
        ("f() { local x; echo [$x]; }; x=1; f", "[]\n"),
        ("case a in a) echo 1;& b) echo 2;; esac", "1\n2\n"),
        ("declare x=1 -r 2>/dev/null; typeset y=2; echo $y", "2\n"),
    ],
)
def test_bash_understands(sh: Sh, script: str, printed: str) -> None:
    assert sh(script, shell="bash") == (0, printed)


@pytest.mark.parametrize("script", ["[[ a == a ]]", "source /tmp/x", "let x=1"])
def test_dash_finds_no_such_command(sh: Sh, script: str) -> None:
    status, _ = sh(script)

    assert status == 127


def test_dash_takes_an_ampersand_before_a_redirection_for_two_commands(sh: Sh, machine: object) -> None:
    assert sh("echo hi &>/tmp/f; wait; cat /tmp/f") == (0, "hi\n")
