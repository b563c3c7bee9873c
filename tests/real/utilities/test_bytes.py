"""Utilities on bytes and differences, beside busybox (split, install, comm, cksum: beside coreutils)."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox", "install", "comm", "split", "cksum")

FILES = {
    "1": "a\nb\nc\nd\n", "2": "a\nB\nc\nd\ne\n", "3": "a\nb\nc\nd\n", "4": "a\nb\n", "5": "a\nb", "6": b"a\0b", "e": "", "ws": "a\n b  \nc\n\nd\n", "up": "A\nB\nC\nD\n",
    "f": b"hello world, this is a test of dumping\n\x01\x02\xff", "z": bytes(64), "zz": bytes(40) + b"abc" + bytes(60), "bin": bytes(range(256)),
    "d/": None, "d/x": "a\nb\n", "d/only": "o\n", "d/s/": None, "d/s/q": "1\n", "g/": None, "g/x": "a\nc\n", "g/s/": None, "g/s/q": "2\n", "g/only2": "p\n",
    "long1": "".join(f"{i}\n" for i in range(40)), "long2": "".join(f"{i}\n" for i in range(40) if i not in (5, 30)) + "end\n", "x": ("#!/bin/sh\n", 0o755), "l": "-> 1",
}  # fmt: skip


def each(name, words):
    return [f"{name} {line}".rstrip() for line in words.split("|")]


def test_cmp(same, case):
    same(
        FILES,
        [
            *each(
                "cmp",
                "1 2|1 3|-l 1 2|-s 1 2|1 nope|1 4|-n 2 1 2|1 2 2 2|-l 1 bin||-s 1 nope|-z 1 2|4 1|-n 3 1 2|1 2 1|e 1|e e|1 2 x|-ls 1 2|bin bin 1 2",
            ),
            case("cmp 1", stdin=b"a\n"),
            case("cmp - 1", stdin=b"x"),
        ],
    )


def test_diff(same, case):
    same(
        FILES,
        [*each("diff", "1 2|1 3|-q 1 2|-s 1 3|-u 1 2|-U 0 1 2|1 nope|d g|-r d g|-rq d g|-rN d g|-L A -L B 1 2|-i 1 up|-w 1 ws|-b 1 ws|-B 1 ws|4 5|5 4|6 1|-a 6 1|1 d|d/x 4|e 1|1 e|long1 long2|-U 1 long1 long2|-t 1 2|-T 1 2|1||-z 1 2|-d 1 2|e e|-N 1 nope|-U x 1 2|1 2 3|long2 long1|-rs d d|1 1|-S x d g"), case("diff - 1", stdin=b"a\nb\nx\n"), case("diff 1 -", stdin=b"a\nb\nc\nd\n")],
    )  # fmt: skip


def test_dd(same, case):
    same(
        FILES,
        [*each("dd", "if=1 of=o bs=2 count=2|if=1 bs=1 skip=2 count=3|if=1 of=2 bs=1 seek=4 conv=notrunc|if=1 of=2 bs=1 seek=4|if=nope of=o|if=1 of=o status=none|if=1 count=0 of=o|bs=x|foo=1|if=1 of=o conv=swab|if=1 of=nodir/x|if=1 conv=bogus|if=1 iflag=skip_bytes skip=3|if=1 ibs=3 obs=2 of=o|if=1 of=2 oflag=append conv=notrunc|if=1 of=o status=noxfer|if=1 of=o bs=1M|if=1 of=o bs=4kB count=1w|if=bin bs=100 count=2|if=1 of=o seek=1|if=1 of=o bs=3 conv=sync|if=z of=o bs=16 count=20 iflag=count_bytes|if=1 of=o oflag=seek_bytes seek=2|if=1 bs=0|if=5 of=o conv=swab|if=1 if=2 of=o|nonsense|if=e of=o"), case("dd bs=2 count=1 skip=1", stdin=b"abcdef"), case("dd of=o", stdin=b"abc"), case("dd", stdin=b"q")],
    )  # fmt: skip


def test_od(same, case):
    same(
        FILES,
        [*each("od", "f|-c f|-b f|-x f|-d f|-A n f|-A x f|-t x1 f|-An -tx1 f|-N 5 -c f|-j 3 -c f|-t d2 f|-t o1 f|-t u4 f|-t a f|-t c f|-v -t x1 f|-w8 -t x1 f|-i f|-a f|-s f|-l f|-tx4 f|-A d -t x2 f|z|-v z|zz|nope|nope f|e|-t x1 1 2|-t c -t x1 f|-c bin|-a bin|-A q f|-h f|-o f|-j 40 -t x1 f|-N 0 f|-tu1 bin|-td1 bin|-Z f"), case("od -c", stdin=b"hi\n"), case("od -An -tx1 -v", stdin=b"\x00" * 40)],
    )  # fmt: skip


def test_hexdump_and_xxd(same, case):
    same(
        FILES,
        [
            *each(
                "hexdump",
                "f|-C f|-b f|-c f|-d f|-o f|-x f|-n 5 -C f|-s 3 -C f|-v f|z|-C z|-v -C z|zz|-C zz|nope|e|-C e|-C bin|-c bin",
            ),
            "hexdump -v -e '/1 \"%02x\"' f",
            'hexdump -e \'16/1 "%02x" "\\n"\' f',
            case("hexdump -C", stdin=b"abc"),
        ],
    )
    same(
        FILES,
        [
            *each("xxd", "f|-p f|-l 5 f|-s 3 f|-g 1 -c 8 f|-i f|-u f|nope|bin|-p bin|-c 5 f|e|-g 4 f"),
            case("xxd -r -p", stdin=b"68656c6c6f"),
            case("xxd", stdin=b"hi"),
            case("xxd -r", stdin=b"00000000: 6865 6c6c  he\n"),
            case("xxd -i", stdin=b"hi"),
        ],
    )


def test_split(same, case):
    same(
        FILES,
        [
            *each(
                "split",
                "1|-l 2 1|-l 1 1 out|-b 3 1|-b 1k bin|-a 3 -l 1 1|-d -l 2 1 p.|-2 1|e|-l 3 long1 q|-b 100 bin p",
            ),
            case("split -l 1", stdin=b"a\nb"),
            case("split nope", stderr=False),
            case("split -l 0 1", stderr=False),
            case("split -a 1 -l 1 long1", stderr=False),
        ],
    )


def test_comm(same, case):
    same(
        {"1": "a\nb\nd\nd\n", "2": "b\nc\nd\ne\n", "e": ""},
        [
            *each("comm", "1 2|-1 1 2|-2 1 2|-3 1 2|-12 1 2|-23 1 2|-13 1 2|-123 1 2|1 1|e 1|1 e|e e"),
            case("comm - 2", stdin=b"a\nb\n"),
            case("comm nope 2", stderr=False),
        ],
    )


def test_cksum(same, case):
    same(FILES, [*each("cksum", "1|1 bin|e|z|f|l|x|6|1 1 1|long1"), case("cksum", stdin=b"hi")])


def test_install(same, case):
    same(
        FILES,
        [
            case(f"install {words}", stderr=False)
            for words in ["1 new", "-m 644 1 new", "-m 755 -o app -g staff 1 new", "-d new", "-d -m 700 n/m/o", "-D 1 n/m/o", "-D -m 600 1 n/o", "1 2 d", "-t d 1 2", "nope new", "1 nodir/x", "d new", "1 1", "x 1", "-p 1 new", "-o nosuch 1 new", "-v 1 new", "-m zz 1 new", "1", "", "-d d/s new2", "-T 1 new", "-Dt n/m 1 2", "-c 1 new", "-m u=rwx,go=rx 1 new", "l new", "1 l", "-g 77 1 new", "-o 1000 -d nd"]
        ],
    )  # fmt: skip


def test_printenv_and_nohup(same, case):
    same(
        {},
        [
            case("env -i A=1 PATH=/bin printenv A"),
            case("env -i A=1 B=2 /bin/printenv"),
            case("env -i A=1 /bin/printenv Z"),
            case("env -i A=1 B=2 /bin/printenv B A"),
            case("env -i /bin/printenv"),
            case("env -i A=1 /bin/printenv A Z"),
        ],
        least=6,
    )
