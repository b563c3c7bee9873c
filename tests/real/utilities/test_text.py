"""Utilities on lines of text, beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "a": "b 2\na 10\nB 1\n\na 9\na 10\n",
    "b": "x:y:z\nnodelim\n:lead\ntrail:\na::b\n",
    "n": "10\n9\n-1\n1.5\n1e2\n 7\nabc\n+3\n010\n",
    "u": "a\na\nb\nA\n\nc c\nd c\nc c",
    "bin": bytes(range(256)),
    "empty": "",
    "noeol": "one\ntwo",
    "tabs": "a\tb\n\tc\td\n        e       f\n  g   h\n",
    "twenty": "".join(f"line {i}\n" for i in range(20)),
    "d/": None,
    "s1": "a\nb\nd\nd\n",
    "s2": "b\nc\nd\ne\n",
    "long": "hello wonderful wor\tld of\nabc\n" + "x" * 200 + "\n",
}


def test_cat(same, case):
    same(
        FILES,
        [
            "cat a",
            "cat a b",
            "cat -n a u",
            "cat -b a",
            "cat -A tabs",
            "cat -v bin",
            "cat -t tabs",
            "cat -e noeol",
            "cat nope a",
            "cat d",
            "cat -Z",
            "cat --nope",
            case("cat", stdin=b"in\n"),
            case("cat a - b", stdin=b"in\n"),
            "cat noeol noeol",
            "cat -u empty",
            "cat -- a",
            "cat -A bin",
        ],
    )


def test_head(same, case):
    same(
        FILES,
        [
            "head twenty",
            "head -n 3 twenty",
            "head -3 twenty",
            "head -n3 twenty a",
            "head -c 5 twenty",
            "head -n -15 twenty",
            "head -c -100 twenty",
            "head -q -n1 a b",
            "head -v -n1 a",
            "head -n x a",
            "head -n 0 a",
            "head nope a",
            "head -n1 nope a b",
            case("head -n 2", stdin=b"1\n2\n3\n"),
            case("head -n 1 - a", stdin=b"1\n2\n"),
            "head -c 1k twenty",
            "head noeol",
            "head -n 1b twenty",
            "head -n 2 empty a",
        ],
    )


def test_tail(same, case):
    same(
        FILES,
        [
            "tail twenty",
            "tail -n 3 twenty",
            "tail -3 twenty",
            "tail -n +18 twenty",
            "tail -c 5 twenty",
            "tail -c +130 twenty",
            "tail -q -n1 a b",
            "tail -v -n1 a",
            "tail -n x a",
            "tail -n 0 a",
            "tail -n +0 a",
            "tail nope a",
            "tail -n1 a nope b",
            case("tail -n 2", stdin=b"1\n2\n3\n"),
            case("tail -n 1 - a", stdin=b"1\n2\n"),
            "tail +19 twenty",
            "tail noeol",
            "tail -n 1 empty noeol",
            "tail -c 1000 a",
        ],
    )


def test_wc(same, case):
    same(
        FILES,
        [
            "wc a",
            "wc a b",
            "wc -l a",
            "wc -l a b",
            "wc -lc a",
            "wc -w a",
            "wc -L long",
            "wc -m bin",
            "wc bin",
            "wc -L tabs a",
            "wc nope a",
            "wc nope",
            case("wc", stdin=b"a b\nc"),
            case("wc -l", stdin=b"a b\nc"),
            case("wc -lw", stdin=b"a b\nc"),
            case("wc - a", stdin=b"a b\nc"),
            "wc -cl a",
            "wc empty",
            "wc -z a",
            "wc -lwcL long",
        ],
    )


def test_sort(same, case):
    same(
        FILES,
        [
            f"sort {options} {name}"
            for options in (
                "", "-n", "-r", "-u", "-f", "-k2n", "-k 2,2", "-t x", "-c", "-k1,1 -u", "-V", "-z", "-k1.2,1.2", "-k2r -s",
                "-m", "-nr", "-fu", "-b", "-d", "-g", "-M", "-nu", "-k2,2n -k1,1r", "-rs -k1,1", "-k1,1f", "-k1,1 -r", "-c -u", "-i",
            )
            for name in ("a", "n", "noeol")
        ]
        + [
            "sort -t: -k2 b",
            "sort -t: -k2,2 -k1,1r b",
            "sort -k0 a",
            "sort -kx a",
            "sort -o out a",
            "sort -o a a",
            "sort nope",
            "sort a nope",
            "sort a n",
                case("sort", stdin=b"b\na"),
            case("sort -V", stdin=b"1.10\n1.9\n1.2-rc\na1\na02\na10\n1.2\n"),
            case("sort -M", stdin=b"Mar\nJAN\nfeb\nxyz\nDec 1\n"),
            case("sort -u -k1,1", stdin=b"a 3\nb 1\na 1\nb 0\n"),
            case("sort -t: -k3n", stdin=b"a:x:10\nb:y:9\nc:z:1\n"),
            case("sort -t , -k2,2nr", stdin=b"a,1\nb,3\nc,2\n"),
        ],
    )  # fmt: skip


def test_uniq(same, case):
    same(
        FILES,
        ["uniq u", "uniq -c u", "uniq -d u", "uniq -u u", "uniq -i u", "uniq -f1 u", "uniq -s1 u", "uniq -w1 u", "uniq -cd u", "uniq -z u", "uniq -D u", "uniq u -", "uniq u out", "uniq -du u", "uniq nope", "uniq a b c", "uniq -f x u", case("uniq -c", stdin=b"q\nq\n"), "uniq -f 1 -s 1 u", "uniq -c empty", "uniq -i -c u"],
    )  # fmt: skip


def test_cut(same, case):
    same(
        FILES,
        [
            f"cut {options} b"
            for options in (
                "-d: -f2", "-d: -f1,3", "-d: -f2-", "-d: -f-2 -s", "-c2", "-b1-2,4", "-c 3,1", "-d: -f2,1 -O ,", "-f1", "-d:", "-d :: -f1",
                "-d: -f0", "-d: -f 2-1", "-d: -f 3,1 -D", "-c1 -d:", "-f x", "-b", "-d: -s -f2", "-d : -f 1-2,2-3", "-c -3", "-c 2- -s", "-d: -f3-,1",
                "-d '' -f1", "-c 1-3,", "-f 1--2", "-F 2 -d :", "-d : -f 9", "-n -b 1,2",
            )
        ]
        + ["cut -c1 nope b", case("cut -d ' ' -f 2", stdin=b"a b c\nx\n"), "cut -F2 long", "cut -c1-2 noeol"],
    )  # fmt: skip


def test_paste(same, case):
    same(
        FILES,
        ["paste s1 s2", "paste -s s1 s2", "paste -d, s1 s2", "paste -sd, s1", "paste -d '\\n,' s1 s2 s1", case("paste - -", stdin=b"1\n2\n3\n4\n"), "paste -d '\\0' s1 s2", "paste s1 nope", "paste -d '' s1 s2", "paste s1 s1 s2", "paste -sd ',;' s1", case("paste s1 -", stdin=b"1\n2\n3\n4\n"), "paste -s -d '\\t\\\\' a"],
    )  # fmt: skip


def test_fold_expand_and_unexpand(same, case):
    same(
        FILES,
        ["fold -w 5 long", "fold -s -w 6 long", "fold long", "fold -w 0 long", "fold -b -w 3 tabs", "fold -w 10 -s tabs", "fold -sw 8 long", "fold -w 3 nope a", "fold -w x a", "fold -5 a", case("fold -w 2", stdin=b"abc\x08de\rfgh")],
    )  # fmt: skip
    same(
        FILES,
        [
            "expand tabs",
            "expand -t 4 tabs",
            "expand -i tabs",
            "expand -t 3 -i tabs",
            "expand nope",
            "expand tabs a",
            case("expand", stdin=b"\t"),
            "expand noeol",
            "expand -t4 long",
            "expand -z",
            "expand -t x tabs",
        ],
    )
    same(
        FILES,
        [
            "unexpand tabs",
            "unexpand -a tabs",
            "unexpand -t 4 tabs",
            "unexpand -a -t 3 tabs",
            "unexpand -f tabs",
            "unexpand nope",
            case("unexpand", stdin=b"         x  \n"),
            case("unexpand -a", stdin=b"a       b       c  d\n"),
            "unexpand noeol",
            "unexpand -z",
            "unexpand -f -t 4 tabs",
        ],
    )


def test_tr(same, case):
    same(
        FILES,
        [
            case(f"tr {words}", stdin=text)
            for words, text in (
                ("a-c A-C", b"abc\n"), ("a-c xy", b"abc\n"), ("-s ' '", b"a  b\n"), ("-d b", b"abc\n"), ("-cd 'a\n'", b"abc\n"), ("-c 'a\n' x", b"abc\n"),
                ("[:lower:] [:upper:]", b"hello\n"), ("-ds a b", b"aabb\n"), ("a '\\n'", b"a\n"), ("a", b"a"), ("", b"a"), ("ab", b"ab"),
                ("'[a]' '(x)'", b"a[b]"), ("-s a-b xx", b"abc"), ("'[=a=]' x", b"abcabc"), ("a-b '[x*]'", b"abc"), ("c-a x", b"abc"), ("'\\\\' /", b"a\\b\n"),
                ("'\\001' x", b"\001"), ("-t a-c x", b"abc"), ("-C a x", b"abc"), ("[:alpha:] x", b"ab12\n"), ("'[:alnum:]-' _", b"ab12-\n"),
                ("ab ''", b"x"), ("'' a", b"x"), ("-s a", b"aaabaa"), ("-cs [:alnum:] '\\n'", b"two words, here\n"), ("a-z n-za-m", b"hello"), ("-d [:space:]", b"a b\tc\n"),
                ("'[a-c]' '[A-C]'", b"[abc]"), ("a b c", b"a"), ("-d a b", b"ab"), ("-d '\\n\\r'", b"a\r\nb\n"), ("0-9 a-j", b"42"), ("-d [:digit:][:punct:]", b"a1,b2."), ("x-", b"x"), ("a- bc", b"a-"),
                ("-sd a", b"aab"), ("'\\t' ' '", b"a\tb"), ("-s '\\n'", b"a\n\n\nb\n"), ("/ -", b"a/b"), ("[:upper:] [:lower:]", b"ABC"), ("-cs a-z _", b"a..b!!c"),
            )
        ],
    )  # fmt: skip


def test_nl_tac_and_rev(same, case):
    same(
        FILES,
        [
            "nl a",
            "nl -b a a",
            "nl -b n a",
            "nl -s : a",
            "nl -w 2 -i 5 -v 10 a",
            "nl nope a",
            "nl a noeol",
            "nl -b x a",
            case("nl", stdin=b"\nq"),
            "nl -z",
            "nl empty",
        ],
    )
    same(
        FILES,
        [
            "tac a",
            "tac noeol",
            "tac a noeol",
            "tac noeol a",
            "tac nope a",
            case("tac", stdin=b"1\n2\n"),
            "tac empty",
            "tac twenty",
            "tac -z",
            "tac s1 s2",
            "tac -- s1",
        ],
    )
    same(
        FILES,
        [
            "rev a",
            "rev noeol",
            "rev a b",
            "rev nope",
            case("rev", stdin=b"abc\n\nd"),
            "rev empty",
            "rev twenty",
            "rev -z",
            "rev s1 - ",
            "rev tabs",
        ],
    )


def test_tee(same, case):
    same(
        FILES,
        [
            case(f"tee {words}", stdin=b"hello\n")
            for words in (
                "",
                "out",
                "out out2",
                "-a noeol",
                "noeol",
                "d",
                "nodir/x",
                "-",
                "-i out",
                "-z",
                "-a new",
                "d out",
            )
        ],
    )


def test_strings(same, case):
    same(
        FILES,
        [
            "strings a",
            "strings -n 2 a",
            "strings bin",
            "strings -o bin",
            "strings -t x bin",
            "strings -f bin a",
            "strings nope",
            "strings -t d bin",
            case("strings -n 1", stdin=b"a\0b"),
            "strings -n x a",
            "strings empty",
            "strings -z",
        ],
    )
