"""Utilities that make, copy and remove files, beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tools("busybox")

FILES = {
    "a": "1\n",
    "b": ("2\n", 0o640),
    "x": ("#!/bin/sh\n", 0o755),
    "s": ("suid", 0o4755),
    "d/": None,
    "d/f": "3\n",
    "d/g": "= d/f",
    "d/l": "-> f",
    "d/s/": 0o700,
    "d/s/t": ("4\n", 0o600),
    "e/": None,
    "l": "-> a",
    "ld": "-> d",
    "dang": "-> nowhere",
    "p": "|",
    "own": ("mine", 0o644, 1000, 1000),
    "ro/": 0o555,
    "ro/f": "r\n",
    "app/": (None, 0o755, 1000, 1000),
}


def test_cp(same, case):
    same(
        FILES,
        [
            "cp a new", "cp a b", "cp d new", "cp -r d new", "cp -r d e", "cp -R d/ e/", "cp -r d d", "cp -r d d/s", "cp a a", "cp a ./a", "cp a b nodir",
            "cp nope x", "cp a b a", "cp a", "cp", "cp -r d a", "cp a nodir/", "cp a b e", "cp -T a d", "cp -t e a b", "cp -a d new", "cp -a l ld dang p e", "cp -r l ld dang p e",
            "cp --parents d/s/t e", "cp l new", "cp -P l new", "cp -d l new", "cp -rL d new", "cp -l a new", "cp -s a new", "cp -n b a", "cp -u a b", case("cp -i a b", stdin=b"n\n"),
            case("cp -i a b", stdin=b"y\n"), "cp -v a b", "cp a dang", "cp -f a dang", "cp -r p new", "cp x new", "cp -p x new", "cp s new", "cp -p s new", "cp -a own new", "cp own new",
            "cp a e/", "cp a e/.", "cp . x", "cp -r . e/z", "cp -r d/. e", "cp -rp d new", "cp -H ld new", "cp -rH ld new", "cp -dR ld new", "cp a new ; cp new new2", "cp -rf d e ; cp -rf d e",
            "cp -a ro new", "cp -Z a b", "cp -r d/s d/f e", "cp dang new", "cp -fs a b", "cp -rl d new", "cp ld/f new", "cp a ld", "cp -rv d/s new", "cp -s a e", "cp -s d/f e/q",
        ],
    )  # fmt: skip


def test_cp_as_an_ordinary_user(same, case):
    same(
        FILES,
        [case(command, uid=1000) for command in ("cp a ro/x", "cp a ro/f", "cp -f a ro/f", "cp d/s/t new", "cp -r d new", "cp -p a new", "cp -a d/f new", "cp own app", "cp a app/x", "cp a b", "cp -f a b", "cp s new", "cp -a s new", "cp -r ro new", "cp x own")],
    )  # fmt: skip


def test_mv(same, case):
    same(
        FILES,
        [
            "mv a new", "mv a b", "mv a a", "mv nope x", "mv d d/s", "mv a b nodir", "mv b", "mv d b", "mv b d", "mv -n a b", case("mv -i a b", stdin=b"n\n"), case("mv -i a b", stdin=b"y\n"),
            "mv -T a d", "mv -t d a b", "mv -v a e", "mv d e", "mv a nodir/", "mv d/f d/g", "mv -f a b", "mv l new", "mv ld new", "mv ld e", "mv dang a", "mv p e", "mv a b e", "mv e d", "mv -T e new", "mv -T d e",
            "mv e/ new", "mv a new/", "mv", "mv -Z a b", "mv d/s .", "mv d/. e", "mv a l", "mv a ld", "mv -T a l",
        ],
    )  # fmt: skip


def test_mv_as_an_ordinary_user(same, case):
    same(
        FILES,
        [
            case(c, uid=1000)
            for c in (
                "mv ro/f x",
                "mv a ro",
                "mv a e",
                "mv own app",
                "mv app/ q",
                "mv own a",
                "mv d/f new",
                "mv -f own ro/f",
                "mv x app/y",
                "mv nope app",
            )
        ],
    )


def test_rm(same, case):
    same(
        FILES,
        [
            "rm a", "rm a b", "rm d", "rm -r d", "rm -rf d e", "rm nope", "rm -f nope", "rm -f", "rm", "rm .", "rm -r ./..", "rm ''", "rm -rf ''", "rm -rf nope d", case("rm -i a", stdin=b"y\n"),
            case("rm -i a", stdin=b""), case("rm -ri d/s", stdin=b"y\ny\ny\ny\ny\ny\ny\ny\n"), "rm l ld dang", "rm -r ld", "rm ld/", "rm p", "rm -R e", "rm -d e", "rm d/f", "rm -- a", "rm -rf ro", "rm a nope b", "rm -r d/", "rm -if a", "rm -f d", "rm a/", "rm -rf d/.", "rm e/..",
        ],
    )  # fmt: skip


def test_rm_as_an_ordinary_user(same, case):
    same(
        FILES,
        [
            case(c, uid=1000)
            for c in (
                "rm ro/f",
                "rm -f ro/f",
                "rm -rf ro",
                "rm -r d/s",
                "rm a",
                "rm own",
                "rm -rf app",
                "rm -rf d/s",
                "rm d/s/t",
                "rm -f d/f b",
            )
        ],
    )


def test_mkdir(same, case):
    same(
        FILES,
        ["mkdir n", "mkdir d", "mkdir n/m", "mkdir -p n/m/o", "mkdir -p d", "mkdir -m 700 n", "mkdir -m 1777 n", "mkdir -m u=rwx n", "mkdir -m go-w n", "mkdir -p -m 700 n/m", "mkdir -pv n/m d/q", "mkdir a/n", "mkdir -p a/n", "mkdir -p a", "mkdir", "mkdir -m zz n", "mkdir n n", "mkdir n/", "mkdir -p n//m/", "mkdir l", "mkdir -p ld/n", "mkdir dang", "mkdir -p dang", "mkdir -p dang/x", "mkdir -Z n", "mkdir ''", "mkdir -p ./n/../m", "mkdir -m 0 n", case("mkdir ro/n", uid=1000), case("mkdir -p ro/n/m app/q", uid=1000)],
    )  # fmt: skip


def test_rmdir(same):
    same(
        FILES,
        [
            "rmdir e",
            "rmdir d",
            "rmdir a",
            "rmdir nope",
            "rmdir -p d/s",
            "mkdir -p n/m/o ; rmdir -p n/m/o",
            "rmdir --ignore-fail-on-non-empty d",
            "rmdir e/",
            "rmdir ld",
            "rmdir e d",
            "rmdir",
            "rmdir -Z e",
            "rmdir .",
            "rmdir e/.",
            "rmdir dang",
        ],
    )


def test_ln(same, case):
    same(
        FILES,
        [
            "ln a h", "ln a", "ln a e", "ln -s a s1", "ln -s a e/", "ln -s x l", "ln -sf x l", "ln -sf x ld", "ln -sfn x ld", "ln nope h", "ln a b", "ln -f a b", "ln -s a b nodir", "ln -v -s 1 n", "ln -sb 3 l", "ln -sT a d",
            "ln d h", "ln -s", "ln -sfT x l", "ln -sfv k l", "ln -s /abs/x/ .", "ln l h", "ln -s a b e", "ln p h", "ln dang h", "ln -S .bak -bs q a", "ln -s '' n", "ln -Z a n", "ln -snf e ld", "ln -s ../a e/up", "ln -n a ld", "ln -nf a ld",
        ],
    )  # fmt: skip


def test_link_unlink_truncate_and_nodes(same, case):
    same(
        FILES,
        [
            "link a h",
            "link a b",
            "link nope h",
            "link a",
            "link a b c",
            "link d h",
            "link l h",
            "link dang h",
            "link a nodir/h",
            case("link a ro/h", uid=1000),
        ],
    )
    same(
        FILES,
        [
            "unlink a",
            "unlink d",
            "unlink nope",
            "unlink l",
            "unlink ld",
            "unlink",
            "unlink a b",
            "unlink p",
            "unlink dang",
            case("unlink ro/f", uid=1000),
            "unlink d/f",
        ],
    )
    same(
        FILES,
        [
            "truncate -s 0 a",
            "truncate -s 5 a",
            "truncate -s 1k n",
            "truncate -c -s 0 nope",
            "truncate -s 1 d",
            "truncate -s 5 nodir/x",
            "truncate a",
            "truncate -s x a",
            "truncate -s 3 a b",
            "truncate -s 0",
            case("truncate -s 0 ro/f", uid=1000),
            "truncate -s 2 l",
        ],
    )
    same(
        FILES,
        [
            "mkfifo q",
            "mkfifo p",
            "mkfifo -m 600 q",
            "mkfifo",
            "mkfifo q r",
            "mkfifo nodir/q",
            "mkfifo -m zz q",
            "mkfifo a",
            "mkfifo -m a=rw q",
            case("mkfifo ro/q", uid=1000),
        ],
    )
    same(
        FILES,
        [
            "mknod q p",
            "mknod q c 1 3",
            "mknod -m 600 q b 8 1",
            "mknod q x",
            "mknod q c 1",
            "mknod q p 1 2",
            "mknod a p",
            "mknod q u 5 1",
            "mknod",
            "mknod q b x 1",
            case("mknod q c 1 3", uid=1000),
            case("mknod app/q p", uid=1000),
        ],
    )


MODES = [
    "+x",
    "a+x",
    "u+s",
    "g=u",
    "o=g",
    "u=rwxs",
    "+t",
    "-r",
    "4755",
    "u+x,g+w",
    "=",
    "a=",
    "ug=r+w",
    "u+X",
    "77777",
    "z",
    "u+z,",
    "u+r,",
    "8",
    "''",
    "0644",
    "go-rwx",
    "u=g",
    "+X",
    "-w",
    "+s",
    "o+t",
    "g-s",
    "7",
    "u=,g=r,o=w",
    "a-x+r",
    "00755",
    "-x",
    "ug+rw-x",
]


def test_chmod(same, case):
    same(
        FILES,
        [f"chmod {mode} {name}" for mode in MODES for name in ("x", "d")]
        + ["chmod -c +x a", "chmod -v 644 a", "chmod -Rv 700 d/s", "chmod 644 dang", "chmod 644 nope", "chmod -f 644 nope", "chmod -R u+X,go-w d nope", "chmod 755", "chmod", "chmod 600 l", "chmod -R 750 ld", "chmod 600 a b nope x", "chmod 755 -Z a", "chmod -R a+rX d", case("chmod 600 a", uid=1000), case("chmod 600 own", uid=1000), case("chmod g+s own", uid=1000), "chmod -c 644 a", "chmod -R -c go= d/s", "chmod -R +x d", "chmod 600 d/s ; chmod -R a+X d"],
    )  # fmt: skip


def test_chown(same, case):
    same(
        FILES,
        [
            "chown 1 a", "chown 1:2 a", "chown :2 a", "chown app a", "chown app:staff a", "chown app: a", "chown root.daemon a", "chown nosuch a", "chown :nosuch a", "chown nosuch:g a", "chown -R 7:8 d", "chown -h 5 l", "chown 5 l", "chown 5 dang",
            "chown -v 1:2 a", "chown -c 0 a", "chown -cR 7:8 d/s", "chown 1", "chown", "chown 1 nope", "chown -f 1 nope", "chown -R 5 ld", "chown -RL 5 ld", "chown -RH 5 ld", "chown -RP 5 ld", "chown 1 s", "chown -Z 1 a", "chown : a", "chown 1 a nope b", "chown -R app:app d e", case("chown 1 own", uid=1000), case("chown 1000 own", uid=1000), case("chown :1000 own", uid=1000), case("chown app a", uid=1000), "chown 0:0 s", "chown +5 a", "chown 4294967295 a",
        ],
    )  # fmt: skip
    same(
        FILES,
        [
            "chgrp 5 a",
            "chgrp staff a",
            "chgrp nosuch a",
            "chgrp -R app d",
            "chgrp -h 5 l",
            "chgrp 5 l",
            "chgrp 5",
            "chgrp -v 5 a",
            "chgrp 1 nope",
            "chgrp 5 d/l",
            case("chgrp 1 own", uid=1000),
            case("chgrp app own", uid=1000),
        ],
    )


def test_touch(same, case):
    same(
        FILES,
        [
            "touch a", "touch new", "touch -d '2020-01-02 03:04:05' a", "touch -d @100 a", "touch -t 202001020304.05 a", "touch -r d new", "touch -c nope", "touch nodir/x", "touch -d bogus a", "touch -h l", "touch", "touch -a -d @5 a", "touch -m -d @5 a", "touch --date=@7 a", "touch -d @5 new",
            "touch -d '2020-01-02 03:04:59' a", "touch -t 0102030405 a", "touch -r nope a", "touch a b new", "touch dang", "touch -h -d @9 dang", "touch d", "touch -d 2020.01.02-03:04:05 a", "touch -d 202001020304 a", "touch -Z a", case("touch a", uid=1000), case("touch -d @5 a", uid=1000), case("touch own", uid=1000), case("touch ro/n", uid=1000), "touch p", "touch -am -d @5 a", "touch -t bogus a", "touch -d @-5 a", "touch a/x",
        ],
    )  # fmt: skip
