"""Small utilities beside busybox: numbers, names, environment, time."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "a": "x\n",
    "l": "-> a",
    "ll": "-> l",
    "d/": None,
    "d/up": "-> ../a",
    "loop": "-> loop",
    "dang": "-> nowhere",
    "x": ("#!/bin/sh\n", 0o755),
    "lx": "-> x",
    "ld": "-> d",
    "abs": "-> /etc/passwd",
}


def each(name, words):
    return [f"{name} {line}".rstrip() for line in words.split("|")]


def test_seq(same):
    same(
        {},
        each(
            "seq",
            "3|1 0.5 2|5 -2 1|-w 8 11|-s , 3|3 1|a|-w 0.5 0.25 1|1 2 3 4||-- -3 -1|1e2 101|0.1 0.3|010 12|-s '\\n' 2|1 1 1|0|-s '' 3|-w 1 100|10 -3 -5|1.5|2 0.25 3|-x 3|-ws: 9 10",
        ),
    )


def test_expr(same):
    same(
        {},
        [f"expr {w}".rstrip() for w in ["1 + 2", "3 * 4 - 1", "7 / 2 % 2", "a = a", "2 < 10", "a < b", "abc : 'a\\(.\\)c'", "abc : ab", "abc : x", "substr hello 2 3", "length abc", "index hello lo", "match abc a.", "1 / 0", "", "0", "''", "1 +", "1 2", "a + 1", "'' '|' 5", "0 '|' 5", "3 & 0", "3 & 4", "( 1 + 2 ) * 3", "( 1 + 2", "quote match", "-1 + 1", "9223372036854775807 + 1", "a == a", "5 >= 5", "abc : '\\(x\\)'", "-5 / 2", "-5 % 3", "substr abc 0 2", "1 '|'", "+ 1", "length", "10 - 3 - 2", "2 + 3 * 4", "00 '|' 7", "a.b : 'a\\.b'", "/usr/lib/x.so : '.*/\\(.*\\)'", "foobar : foo", "abc > abd", "1 = 01", "'' = ''", "index abc z", "substr abc 2 9", "( ( 5 ) )", "1 ) 2"]],
    )  # fmt: skip


def test_names_of_files(same, case):
    same(
        FILES,
        each(
            "basename", "a/b.c .c|/|''|a//|-a x/y z/w|-s .c a.c b.c||a b c|.c .c|a|/a/|//|-x a|a/b/ b|abc c"
        ),
    )
    same(FILES, each("dirname", "a/b|a|/|a/b//|//a|''|a b||/a|//|a//b|./a|../a/|/a/b/c"))
    same(
        FILES,
        each(
            "readlink",
            "l|a|-f ll|-f nope/x|-f nope|-n l|-v a|l a||-f /|-f ''|-f loop|-f d/up|dang|-f dang|-f ld/up|-f .|-f ./d/../a|abs|-f abs|-f ../..|-x l|nope|-v nope",
        ),
    )
    same(FILES, each("realpath", "a|nope|nope/x|d/..|ll|a l d/up||loop|dang|/|.|abs|ld/up ./d|a/x"))
    same(
        FILES,
        [
            "pwd",
            "pwd -P",
            "pwd -L",
            "which sh",
            "which nope",
            "which sh nope ls",
            "which -a sh",
            "which",
            "which ./x",
            "which ./a",
            "which /bin/sh",
            "which ./lx",
            "which -x sh",
            "which d",
        ],
    )


def test_mktemp(same, case):
    same(
        FILES,
        [
            "mktemp -u x.XXXXXX | wc -c",
            "mktemp -q aX",
            "mktemp a.XXXXXX b",
            "mktemp -t foo.XXXXXX | cut -c1-9",
            "mktemp -p d q.XXXXXX -u | cut -c 1-4",
            "mktemp -d -u | cut -c 1-9",
            "mktemp -u -p d | cut -c 1-6",
            "mktemp -x",
            "mktemp -q -p nodir",
            case("mktemp a", stderr=False),
            case("mktemp nodir/XXXXXX", stderr=False),
            case("mktemp -p nodir", stderr=False),
        ],
    )


def test_env_and_running(same, case):
    same(
        {},
        [
            "env -i A=1",
            "env -i A=1 B=2 env",
            "env -i",
            "env - X=1",
            case("env -i A=1 -u A", stderr=False),
            case("env -i nosuch", stderr=False),
            "env -u",
            "env -x",
            "env -i -0 A=1",
            "env -i A=1 A=2 env",
            "env -i A= env",
            "env -i PATH=/bin echo hi",
            "env -i false",
            "env -u HOME -u PWD -u OLDPWD -u SHLVL env | sort | grep -v _",
        ][:13],
    )
    same(
        {},
        [
            "true",
            "false",
            "true x",
            "false x",
            "true --help x | cat",
            "false | true",
            "true ; false",
            "false ; true",
            "yes | head -n 2",
            "yes a b | head -n 1",
            "yes '' | head -n 3",
            "sleep",
            "sleep x",
            "sleep 0",
            "sleep 1q",
            "sleep 0 0s 0m",
            "sleep -1",
            "kill",
            "kill x",
            "kill -FOO 1",
            "sync",
            "sync a -x",
            "nproc --ignore=x",
        ],
        least=20,
    )


def test_id_and_uname(same, case):
    same(
        {},
        [case(f"id {words}".rstrip(), uid=uid) for uid in (0, 1000, 4321) for words in ("", "-u", "-un", "root", "nosuch", "-G", "-gn", "daemon", "-Gn", "-n", "-ug", "1", "app", "-G app", "-Gn app", "-ur", "-x", "-g app", "root app")]
        + [case("whoami", uid=uid) for uid in (0, 1000, 4321)] + [case("groups", uid=uid) for uid in (0, 1000)] + ["groups app", "groups nosuch", "whoami x"]
        + ["uname -s", "uname -o", "uname -p", "uname -sm", "uname", "uname -x", "uname -i", "arch", "hostname -x"],
    )  # fmt: skip


DATES = "-u -d @0|-u -d @0 +%Y-%m-%dT%H:%M:%SZ|-u -R -d @0|-u -I -d @0|-u -Iseconds -d @0|-d '2020-01-02 03:04:05' +%s|-d bogus|-u -d 2020-01-02|-u -d 2020.01.02-03:04|-u -d 12:30 +%H:%M:%S|-d @0 '+%A %B %e %j %k %l %p %y %C %u %w %Z %z %% %D %T %F %c %h %n %s'|-u -d 202001020304.05|-r a +%Y|-r a|-D %Y%m%d -d 20200102 +%F|+%Y x|-Ihours -u -d @0|-Ins -u -d @0|-Iminutes -u -d @0|-Ix|-d @0 +%1|-u -d '2020-01-02 03:04:05 UTC'|-r nope|-d @1.5 +%s|-d @86399 '+%I:%M %P %R %r %x %X %G %V %U'|-x|-u -d 010203042005 +%F|-d @951782400 +%e:%k|-d '2020-02-30 01:02:03'|-d '2020-13-01 00:00'|-d @0 +|-u +%Y-x -d @99999999999"


def test_date(same):
    same({"a": "x"}, each("date", DATES))
