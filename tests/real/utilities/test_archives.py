"""tar, gzip, bzip2, xz and unzip beside busybox."""

# ruff: noqa: E501 -- a case is one line of a table

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

pytestmark = pytest.mark.tools("busybox")

SAID = 1_000_000_000


def archive(*entries, format=tarfile.GNU_FORMAT):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as tar:
        for name, kind, extra, *mode in entries:
            info = tarfile.TarInfo(name)
            info.mtime, info.uid, info.gid, info.uname, info.gname = SAID, 1234, 50, "app", "nosuch"
            info.mode = mode[0] if mode else 0o755 if kind == "d" else 0o644
            info.type = {
                "f": tarfile.REGTYPE,
                "d": tarfile.DIRTYPE,
                "l": tarfile.SYMTYPE,
                "h": tarfile.LNKTYPE,
                "p": tarfile.FIFOTYPE,
                "c": tarfile.CHRTYPE,
            }[kind]
            if kind == "f":
                info.size = len(extra)
                tar.addfile(info, io.BytesIO(extra))
                continue
            if kind == "c":
                info.devmajor, info.devminor = extra
            else:
                info.linkname = extra
            tar.addfile(info)
    return made.getvalue()


LONG = "long/" + "n" * 90 + "/" + "m" * 120
PLAIN = archive(
    ("p/", "d", ""),
    ("p/f", "f", b"hello\n"),
    ("p/x", "f", b"#!", 0o4755),
    ("p/l", "l", "f"),
    ("p/h", "h", "p/f"),
    ("p/q", "p", ""),
    ("p/s/", "d", "", 0o700),
    ("p/s/g", "f", b"g" * 3000, 0o600),
    ("top", "f", b"t"),
)
HOSTILE = archive(
    ("/abs", "f", b"a"),
    ("../up", "f", b"b"),
    ("x/../../y", "f", b"c"),
    ("ok", "l", "abs"),
    ("hl", "h", "abs"),
)
ESCAPE = archive(("l", "l", "/tmp"), ("l/evil", "f", b"e"))
UPLINK = archive(("s", "l", "../out"), ("t", "l", "/etc/passwd"), ("u", "l", "a/../b"))
HARD = archive(("hl2", "h", "/etc/passwd"))
LONGNAMES = archive(("long/", "d", ""), (LONG, "f", b"deep"), ("ll", "l", "t" * 150))
PAX = archive((LONG, "f", b"deep"), ("ünï", "f", b"u"), format=tarfile.PAX_FORMAT)
DEVICE = archive(("dev", "c", (1, 3)), ("f", "f", b"x"))
OVER = archive(
    ("a", "f", b"new"), ("d/", "d", "", 0o711), ("d/f", "f", b"new"), ("e", "f", b"was a directory")
)
SEED = archive(
    ("nginx-1/", "d", ""),
    ("nginx-1/configure", "f", b"#!/bin/sh\n", 0o755),
    ("nginx-1/src/", "d", ""),
    ("nginx-1/src/a.c", "f", b"int\n"),
)
FILES = {
    "plain.tar": PLAIN, "hostile.tar": HOSTILE, "escape.tar": ESCAPE, "uplink.tar": UPLINK, "hard.tar": HARD, "longnames.tar": LONGNAMES, "pax.tar": PAX, "device.tar": DEVICE, "over.tar": OVER,
    "plain.tgz": gzip.compress(PLAIN, mtime=0), "plain.tar.bz2": bz2.compress(PLAIN), "plain.tar.xz": lzma.compress(PLAIN), "seed.tar.gz": gzip.compress(SEED, mtime=0),
    "a": "old\n", "d/": 0o755, "d/f": ("1\n", 0o640, 1000, 50), "d/sub/": 0o700, "d/sub/g": "2\n", "e/": None, "dang": "-> nowhere", "garbage": "not a tar at all", "empty": "", "zeros": bytes(1024), "cut.tar": PLAIN[:1300], "half.tar": PLAIN[:600], "junk.tar": bytes(range(256)) * 4, "list": "a\nd\n", "cut.tgz": gzip.compress(PLAIN, mtime=0)[:100],
    "out/": None,
}  # fmt: skip


def contents_of(name: str, content: bytes) -> bytes:
    """What a compressed file holds: two compressors need not agree on its bytes."""
    if (
        content[:2] == b"\x1f\x8b"
        and "cut" not in name
        and "tr.gz" not in name
        and "crc" not in name
        and "tail" not in name
    ):
        return gzip.decompress(content)
    return bz2.decompress(content) if content[:3] == b"BZh" and "cut" not in name else content


def test_tar_extracts(same, case):
    same(
        FILES,
        [
            f"tar {words}"
            for words in (
                "xf plain.tar", "xvf plain.tar", "-x -f plain.tar", "xzf plain.tgz", "xjf plain.tar.bz2", "xJf plain.tar.xz", "xf plain.tar p/f", "xf plain.tar p", "xf plain.tar p/s/", "xf plain.tar nosuch", "xf plain.tar top nosuch", "xf plain.tar -C out", "-C out -xf plain.tar", "xf plain.tar -C nodir", "xOf plain.tar p/f top", "xvf plain.tar top",
                "xmf plain.tar", "xof plain.tar", "xpf plain.tar", "xf plain.tar --strip-components 1", "xf plain.tar --strip-components=2", "xf plain.tar --no-same-permissions", "xf plain.tar --numeric-owner", "xf hostile.tar", "xvf hostile.tar", "xf escape.tar", "xvf uplink.tar", "xf hard.tar", "xf longnames.tar", "xf pax.tar", "xf device.tar", "xf over.tar", "xkf over.tar", "xf over.tar --overwrite", "xf nope.tar", "xf garbage", "xf empty", "xf zeros", "xf cut.tar", "xf half.tar", "xf junk.tar", "xzf plain.tar", "--strip-components=1 -zxf seed.tar.gz", "-zxvf seed.tar.gz -C out --strip-components=1", "-x", "", "x -f", "-Q", "cx", "--nope", "zxf seed.tar.gz nginx-1/src",
            )
        ]
        + [case("tar x", stdin=PLAIN), case("tar xz", stdin=gzip.compress(PLAIN, mtime=0)), case("tar xf -", stdin=PLAIN), case("tar xC out", stdin=SEED)],
    )  # fmt: skip


def test_tar_extracts_for_an_ordinary_user(same, case):
    same(
        FILES,
        [
            case(f"tar {w}", uid=1000)
            for w in (
                "xf plain.tar",
                "xpf plain.tar",
                "xof plain.tar",
                "xf over.tar",
                "xf longnames.tar",
                "xf plain.tar --no-same-permissions",
                "xf plain.tar -C out",
                "xf device.tar",
                "cf new.tar d/f",
                "cf out/new.tar a",
            )
        ],
    )


def test_tar_lists(same, case):
    same(
        FILES,
        [
            f"tar {w}"
            for w in (
                "tf plain.tar",
                "tvf plain.tar",
                "tzf plain.tgz",
                "tjf plain.tar.bz2",
                "tf plain.tar p",
                "tf plain.tar nosuch",
                "tf hostile.tar",
                "tvf hostile.tar",
                "tf longnames.tar",
                "tvf device.tar",
                "tf pax.tar",
                "tf zeros",
                "tf empty",
                "tf cut.tar",
                "-tf plain.tar top",
                "tf garbage",
            )
        ]
        + [case("tar t", stdin=PLAIN)],
    )


def test_tar_creates(same, case):
    same(
        FILES,
        [
            case(command, compare=contents_of)
            for command in (
                "tar cf n.tar a", "tar cf n.tar d/sub a", "tar cvf n.tar d/sub", "tar cf - a | tar t", "tar cvf - a | wc -c", "tar czf n.tgz a ; tar tzf n.tgz", "tar cf n.tar nope", "tar cf n.tar nope a", "tar cf n.tar", "tar c", "tar cf nodir/n.tar a", "tar -C d -cf n.tar sub", "tar cf n.tar -C d f", "tar cf n.tar ./a", "tar cf n.tar ../../etc/group", "tar cf n.tar /etc/group", "tar chf n.tar a", "tar cf n.tar dang", "tar chf n.tar dang",
                "tar cf n.tar --no-recursion d", "tar cf n.tar d/sub/", "tar caf n.tar.gz a ; tar tzf n.tar.gz", "tar cf n.tar e", "tar cf n.tar d/f d/sub --numeric-owner", "tar c a | tar x -C out", "tar cf n.tar d/sub ; rm -r d ; tar xf n.tar", "tar cf d/sub/n.tar a d/sub/g d/sub/n.tar",
            )
        ],
    )  # fmt: skip


GZ = gzip.compress(b"hello\n" * 50, mtime=0)
PACKED = {
    "f": ("hello\n" * 50, 0o640), "g": "yo\n", "f.gz.orig": GZ, "p.gz": (GZ, 0o600), "p.tgz": GZ, "bad.gz": "xx", "tr.gz": GZ[:15], "two.gz": GZ + GZ, "tail.gz": GZ + b"junk", "e.gz": "", "noext": GZ, "z.bz2": bz2.compress(b"bz\n"), "z.xz": lzma.compress(b"xz\n"), "bad.bz2": "xx", "bad.xz": "xx", "d/": None, "lf": "-> f", "tz.tbz2": bz2.compress(b"x"), "crc.gz": GZ[:-8] + b"\0\0\0\0" + GZ[-4:],
}  # fmt: skip


def test_gzip(same, case):
    same(
        PACKED,
        [
            case(command, compare=contents_of)
            for command in (
                "gzip f", "gzip -k f", "gzip f ; gzip -k nope", "gzip -9 f", "gzip -c f | gunzip", "gzip -d p.gz", "gzip -dc p.gz", "gzip nope", "gzip -f f", "gzip -t p.gz", "gzip -t bad.gz", "gzip -Q f", "gzip f g", "gzip -1 -c f | zcat", "gzip p.gz", "gzip -dk p.gz", "gzip -c lf | zcat", "gzip -dc two.gz",
                "gunzip p.gz", "gunzip g", "gunzip nope.gz", "gunzip bad.gz", "gunzip -c tr.gz | wc -l", "gunzip p.tgz", "gunzip -k p.gz", "gunzip -c p.gz two.gz", "gunzip e.gz", "gunzip noext", "gunzip -c noext", "gunzip -t p.gz", "gunzip -f p.gz", "gunzip -c tail.gz", "gunzip -c z.bz2", "gunzip -Q p.gz", "gunzip p.gz nope.gz",
                "zcat p.gz", "zcat p.gz nope.gz", "zcat two.gz", "zcat tail.gz", "zcat z.bz2", "zcat z.xz", "zcat bad.gz", "zcat noext", "zcat e.gz", "zcat g", "gunzip -c crc.gz | wc -c",
            )
        ]
        + [case("gzip | zcat", stdin=b"abc"), case("gunzip", stdin=GZ), case("zcat", stdin=GZ), case("gzip -d", stdin=GZ), case("zcat", stdin=b""), case("gunzip", stdin=b"x"), case("zcat -", stdin=GZ), case("gzip", stdin=b"", stdout=False)],
    )  # fmt: skip


def test_bzip2_and_xz(same, case):
    same(
        PACKED,
        [
            case(command, compare=contents_of)
            for command in ("bzip2 f", "bzip2 -k f", "bzip2 -c f | bunzip2", "bzip2 -d z.bz2", "bzip2 nope", "bunzip2 z.bz2", "bunzip2 g", "bunzip2 -c z.bz2", "bzcat z.bz2", "bunzip2 -k z.bz2", "bunzip2 bad.bz2", "bzcat nope.bz2", "bunzip2 -t z.bz2", "bzip2 -1 f", "bunzip2 -c p.gz", "unxz z.xz", "unxz -k z.xz", "xzcat z.xz", "xz -d z.xz", "xz -dc z.xz", "unxz g", "xzcat nope.xz", "unxz -t z.xz", "xz -dk z.xz")
        ]
    )  # fmt: skip


def zipped(*entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name, (2020, 2, 3, 4, 5, 6))
            info.create_system = 3
            info.external_attr = (mode | (0o40000 if content is None else 0o100000)) << 16
            info.compress_type = zipfile.ZIP_DEFLATED if content and len(content) > 20 else zipfile.ZIP_STORED
            archive.writestr(info, content or "")
    return made.getvalue()


ZIPS = {
    "t.zip": zipped(
        ("a.txt", "hello\n", 0o644),
        ("d/", None, 0o755),
        ("d/b.txt", "x" * 100, 0o600),
        ("d/run", "#!/bin/sh\n", 0o755),
    ),
    "h.zip": zipped(
        ("../up", "q", 0o644), ("/abs", "q", 0o644), ("x/../../y", "q", 0o644), ("ok", "q", 0o644)
    ),
    "g.zip": "garbage",
    "a.txt": "old\n",
    "q/": None,
}


def test_unzip(same, case):
    same(
        ZIPS,
        [f"unzip {w}".rstrip() for w in ("-o t.zip", "-n t.zip", "-l t.zip", "-lq t.zip", "-lv t.zip", "-p t.zip a.txt", "-qo t.zip", "t.zip -d new", "-q t.zip -d q", "-j t.zip -d new", "t -d new", "nope", "h.zip", "-o t.zip 'd/*' -x d/run", "-t t.zip", "t.zip nosuch", "g.zip", "", "-o t.zip a.txt -d nn/mm", "-p t.zip", "-o t.zip d/run", "-Q t.zip", "-v t.zip")]
        + [case("unzip t.zip", stdin=b"y\n"), case("unzip t.zip", stdin=b"n\n"), case("unzip t.zip", stdin=b"A\n"), case("unzip t.zip", stdin=b"N\n"), case("unzip t.zip", stdin=b"")],
    )  # fmt: skip
