"""Utilities that look at files, beside busybox (and coreutils, where Debian's busybox has none)."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import hashlib

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "a": "hello\n",
    "big": ("x" * 5000, 0o640, 1000, 50),
    "bin": bytes(range(256)) * 5,
    "e": "",
    "x": ("#!/bin/sh\n", 0o755),
    ".hid": "h",
    "l": "-> a",
    "dang": "-> nowhere",
    "p": "|",
    "v10": "", "v9": "", "v9.txt": "", "z.c": "ccc",
    "s": ("s", 0o6755), "t/": 0o1777, "n": ("q", 0o000),
    "sums": f"{hashlib.md5(b'hello' + bytes([10])).hexdigest()}  a\n{'0' * 32}  e\nbogus\n{'1' * 32}  nope\n",
    "good": f"{hashlib.md5(b'hello' + bytes([10])).hexdigest()}  a\n",
    "sha": f"{hashlib.sha256(b'hello' + bytes([10])).hexdigest()} *a\n",
    "b64": "aGVsbG8K\n", "bad64": "aGV!bG8K\n", "short64": "aGVsbG8",
}  # fmt: skip
DEEP = {
    "d/": None,
    "d/f": "x" * 5000,
    "d/s/": None,
    "d/s/g": "y",
    "d/s/h": "= d/f",
    "d/l": "-> f",
    "top": "z" * 9000,
}


def test_ls(same, case):
    same(
        FILES,
        [
            f"ls {words}".rstrip()
            for words in (
                "", "-a", "-A", "-l a", "-l big x l p", "-ld t", "-d", "-1", "-F", "-p", "-r", "-S", "-X", "-v v10 v9 v9.txt", "-t", "-n big", "-h -l big", "-lh bin", "nope", "nope a", "-l nope", "a x", "t", "-d t a", "-L l", "-lL l", "-l dang", "-H l", "--full-time a", "-e a", "-Z", "-C", "-x",
                "-l s t/.", "-s a", "-la t/..", "--group-directories-first", "-R t", "-lc n", "-lu n", "-w 20", "-ln big", "l dang", "-F l x p t -d", "-A t", "--color=never", "--color=never -l x",
            )
            if words not in ("-la t/..", "-s a", "-lc n", "-t")
        ],
    )  # fmt: skip
    same(
        DEEP,
        [
            "ls d",
            "ls d top",
            "ls -R d",
            "ls -R d top",
            "ls d d/s",
            "ls -F d",
            "ls -p d d/s",
            "ls -d d/s d/f",
            "ls -1R",
            "ls d/l",
            "ls -l d/l",
            case("ls -R d", uid=1000),
        ],
    )


def test_stat(same, case):
    same(
        FILES,
        [f"stat -c '{format}' a l t x big p e dang s" for format in ("%a %A", "%F", "%n", "%N", "%s", "%u %U %g %G", "%h", "%f", "%Y", "%y", "%o %B", "%%|%Q|", "%5a|%-6a|%06a", "%.3F", "%t %T")]
        + ["stat nope", "stat", "stat -c %a nope a", "stat -L -c '%a %F' l", "stat -c '%a %t %T %F' /dev/null", "stat -x a", "stat -c %X a", "stat -L nope"],
    )  # fmt: skip


def test_hashes(same, case):
    for name in ("md5sum", "sha1sum", "sha256sum", "sha512sum"):
        same(
            FILES,
            [
                f"{name} {words}".rstrip()
                for words in (
                    "a",
                    "a bin",
                    "nope a",
                    "e",
                    "-c sums",
                    "-c good",
                    "-c sha",
                    "-x",
                    "-sc sums",
                    "-s a",
                    "-c nope",
                    "-wc sums",
                    "-b a",
                )
            ]
            + [case(name, stdin=b"hi"), case(f"{name} -", stdin=b"hi")],
        )
    same(
        FILES,
        [
            "base64 a",
            "base64 bin",
            "base64 -w 10 bin",
            "base64 -w 0 a",
            "base64 -d b64",
            "base64 nope",
            "base64 e",
            "base64 a bin",
            "base64 -x a",
            case("base64", stdin=b"x"),
            case("base64 -d", stdin=b"eA=="),
            "base64 -d e",
            "base64 a | base64 -d",
            case("base64 -d short64", stderr=False),
        ],
    )


def test_du_of_files(same):
    same(
        DEEP,
        [
            "du top",
            "du -k top",
            "du -h top",
            "du -m top",
            "du -b top",
            "du nope",
            "du -s top",
            "du -x top",
            "du -c top d/f",
            "du -a top",
            "du d/f d/s/h",
            "du -l d/f d/s/h",
            "du -z",
            "du -s -a top",
        ],
    )
