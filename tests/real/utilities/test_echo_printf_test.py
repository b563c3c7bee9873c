"""echo, printf, test and their kin, beside busybox."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")


def test_echo(same):
    same(
        {},
        [
            "echo",
            "echo a b",
            "echo -n a",
            r"echo -e 'a\tb\0101\x41\c' c",
            r"echo -e '\101 \1 \8 \z'",
            r"echo -ne 'x\\n\n'",
            "echo -z a",
            r"echo -E 'a\n'",
            "echo -- a",
            "echo -nz a",
            "echo - a",
            r"echo -e -E 'a\n'",
            r"echo -e '\0'  '\a\b\e\f\v\r' '\xg' '\x4' '\400' 'end\'",
        ],
    )


def test_printf(same):
    same(
        {},
        [
            r"printf '%d|%s|%b|' abc x 'a\tb\0101\101\c' z",
            r"printf '%5.2s|%-5s|%05d|%+d|%x|%#o|%c|%e|%g|%f\n' abcdef ab 42 42 255 8 hello 3.14159 0.0001 2",
            r"""printf '%d %d %d %d\n' 0x1f 010 "'A" ' 12'""",
            r"printf '%z\n' 1",
            "printf '%'",
            r"printf 'a\c b'",
            r"printf '\x41\101\0101\q\e\n'",
            r"printf '%s %s\n' a b c",
            r"printf 'x\n' a b c",
            r"printf '%*d|%.*f|%-*s|\n' 5 42 2 3.14159 6 ab",
            r"printf '%d\n' 12x 1.5 '' -5 +7",
            r"printf '%u %o %X\n' -1 8 255",
            r"printf '%%|%5%|\n'",
            r"printf '%ld %lld %hd %zd\n' 1 2 3 4",
            r"printf '%f\n' abc 1e3 0x10",
            "printf",
            r"printf -- '%s\n' a",
            "printf -x",
            "printf '%d' 99999999999999999999",
            r"printf '%s|%c|%d|%f\n'",
            r"printf '%.3d|%5.3d|%-5d|% d|%.0d|\n' 5 5 5 5 0",
            r"printf '%#x %#X %#o %08.3f %+.2e\n' 255 255 8 3.14159 12345.678",
            r"printf '%b' 'x\0' 'y\\z\n'",
            r"printf '%i %i\n' 07 0xA",
        ],
    )


EXPRESSIONS = [
    "",
    "a",
    "! a",
    "-n",
    "-n a",
    "-z",
    "a = a",
    "a == a",
    "1 -eq 01",
    "1 -eq x",
    "a b",
    "a b c",
    "( a )",
    "! ( a )",
    "a -a b -o c",
    "-f /etc/passwd -a -d /etc",
    "-x /bin/sh",
    "a < b",
    "b < a",
    "1 -lt",
    "( a",
    "-e",
    "! -e",
    "a -a",
    "-n a -a ! -z b",
    "/etc/passwd -nt /nonexist",
    "/nonexist -ot /etc/passwd",
    "= = =",
    "! = !",
    "( = (",
    "-a -a -a",
    "1 -eq 1 -a",
    "-f = x",
    "99999999999999999999 -eq 1",
    "' 5' -eq 5",
    "'5 ' -eq 5",
    "'' -eq 0",
    "-5 -lt 3",
    "-d d",
    "-f f",
    "-h l",
    "-L f",
    "-p p",
    "-s f",
    "-s empty",
    "-w readonly",
    "-r secret",
    "-u suid",
    "-g suid",
    "-k d",
    "-x f",
    "-x script",
    "f -ef h",
    "f -ef l",
    "f -nt d",
    "-O f",
    "-G f",
    "-e l",
    "-e dangling",
    "! a = b -a c",
    "a != b -o ( x = y )",
    "( ) = x",
    "-n ''",
    "-c /dev/null",
    "-b /dev/null",
]
FILES = {
    "d/": 0o1777,
    "f": "text",
    "empty": "",
    "l": "-> f",
    "h": "= f",
    "p": "|",
    "readonly": ("x", 0o444),
    "secret": ("x", 0o600),
    "suid": ("x", 0o4755),
    "script": ("#!/bin/sh", 0o755),
    "dangling": "-> nowhere",
}


def test_test(same):
    same(FILES, [f"test {expression}" for expression in EXPRESSIONS])


def test_bracket(same):
    same(
        FILES,
        [
            "[ a",
            "[ a = a ]",
            "[ ]",
            "[",
            "[ ! a ]",
            "[ -f f -a -d d ]",
            "[ ( a = b ) -o c ]",
            "[ 1 -gt 0 ]",
            "[ ]]",
            "[ x ] ]",
        ],
    )


def test_test_as_an_ordinary_user(same, case):
    same(
        FILES,
        [
            case(f"test {e}", uid=1000)
            for e in (
                "-r secret",
                "-w readonly",
                "-w f",
                "-x script",
                "-x d",
                "-w d",
                "-O f",
                "-G f",
                "-r f",
                "-r nope",
            )
        ],
    )
