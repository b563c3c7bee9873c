from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unionfs_sim import WHITEOUT, Dir, File, Hardlink, Symlink, layer
from unionfs_sim.tar.header import (
    CHARACTER,
    DIRECTORY,
    END_OF_ARCHIVE,
    HARDLINK,
    REGULAR,
    SYMLINK,
    TarHeader,
    encode,
    padding,
    pax_record,
)
from unionfs_sim.tar.pack import LayerFormatError, Limits, pack, read_layer


def file(name: str, content: bytes = b"") -> bytes:
    return encode(TarHeader(name, REGULAR, size=len(content))) + content + padding(len(content))


def directory(name: str, mode: int = 0o755) -> bytes:
    return encode(TarHeader(name, DIRECTORY, mode))


def link(name: str, target: str) -> bytes:
    return encode(TarHeader(name, HARDLINK, link=target))


def symlink(name: str, target: str) -> bytes:
    return encode(TarHeader(name, SYMLINK, link=target))


def read(*blocks: bytes, **options: object):
    return read_layer(io.BytesIO(b"".join(blocks) + END_OF_ARCHIVE), **options)


def patched(header: bytes, at: int, field: bytes) -> bytes:
    """A header with other bytes in it, and the checksum that fits."""
    block = bytearray(header)
    block[at : at + len(field)] = field
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


OLD_MAP = b"%011o\0%011o\0" % (0, 9) + bytes(72 + 1) + b"%011o\0" % 9
"""In an old GNU header: nine bytes from byte 0 on, of nine."""


def sparse(name: str, data: bytes = b"", **records: str) -> bytes:
    """A file with GNU.sparse records; ``data`` is filled up to whole blocks."""
    body = b"".join(
        pax_record(f"GNU.sparse.{key}".encode(), value.encode()) for key, value in records.items()
    )
    extended = patched(encode(TarHeader("x", REGULAR, size=len(body))), 156, b"x") + body + padding(len(body))
    return extended + file(name, data + padding(len(data)))


def test_row_07_a_whiteout_does_not_hide_an_entry_of_its_own_layer_whatever_the_order() -> None:
    expected = layer({"/x": "new"})

    assert read(file(".wh.x"), file("x", b"new")) == expected
    assert read(file("x", b"new"), file(".wh.x")) == expected


def test_a_whiteout_of_a_directory_that_its_layer_makes_anew_makes_it_opaque() -> None:
    expected = layer({"/d": Dir(opaque=True), "/d/x": ""})

    assert read(file(".wh.d"), directory("d/"), file("d/x")) == expected
    assert read(directory("d/"), file("d/x"), file(".wh.d")) == expected


def test_an_opaque_marker_counts_wherever_it_stands() -> None:
    expected = layer({"/d": Dir(opaque=True), "/d/a": ""})

    assert read(file("d/.wh..wh..opq"), directory("d/"), file("d/a")) == expected
    assert read(directory("d/"), file("d/a"), file("d/.wh..wh..opq")) == expected


def test_deletions_in_an_opaque_directory_say_nothing_more() -> None:
    assert read(file("d/.wh..wh..opq"), file("d/.wh.a")) == layer({"/d": Dir(opaque=True)})


def test_an_opaque_root_is_spelt_out_name_by_name_where_the_names_are_known() -> None:
    below = layer({"/a": "", "/b/c": "", "/keep": ""})

    found = read(file(".wh..wh..opq"), file("keep", b"new"), below=below)

    assert found == layer({"/a": WHITEOUT, "/b": WHITEOUT, "/keep": "new"})


def test_a_deletion_of_what_is_not_there_is_dropped() -> None:
    assert read(file(".wh.a"), file(".wh.b"), below=layer({"/a": ""})) == layer({"/a": WHITEOUT})


def test_what_lies_below_is_not_looked_for_through_symlinks() -> None:
    below = layer({"/real": Dir(mode=0o700), "/real/a": "", "/s": Symlink("real")})

    found = read(file("s/.wh.a"), file("s/d/x"), below=below)

    assert found == layer({"/s": Dir(), "/s/d/x": ""})


def test_a_directory_that_is_not_described_keeps_the_attributes_that_it_has_below() -> None:
    below = layer({"/d": Dir(mode=0o1777, uid=7, xattrs={"user.a": b"1"})})

    found = read(file("d/x"), below=below)

    assert found == layer({"/d": Dir(mode=0o1777, uid=7, xattrs={"user.a": b"1"}), "/d/x": ""})


def test_a_root_that_is_not_described_keeps_its_attributes() -> None:
    below = layer({}, root=Dir(mode=0o555))

    assert read(file("x"), below=below) == layer({"/x": ""}, root=Dir(mode=0o555))


def test_what_a_later_entry_of_the_same_name_says_counts() -> None:
    assert read(file("a", b"1"), file("a", b"2")) == layer({"/a": "2"})
    assert read(directory("d/"), file("d/x"), directory("d/", 0o700)) == layer(
        {"/d": Dir(mode=0o700), "/d/x": ""}
    )
    assert read(file("d"), directory("d/"), file("d/x")) == layer({"/d": Dir(), "/d/x": ""})


def test_replacing_one_name_of_a_file_leaves_the_other() -> None:
    found = read(file("a", b"1"), link("b", "a"), file("a", b"2"))

    assert found == layer({"/a": "2", "/b": "1"})
    assert found.lstat("/b").st_nlink == 1


def test_names_may_begin_with_a_slash_or_a_dot() -> None:
    assert read(directory("./"), file("./a"), file("/b"), directory("/")) == layer({"/a": "", "/b": ""})


def test_names_that_aufs_kept_for_itself_are_passed_over() -> None:
    assert read(directory(".wh..wh.plnk/"), file(".wh..wh.aufs"), file("a")) == layer({"/a": ""})


def test_attributes_by_the_unions_names_are_escaped() -> None:
    header = TarHeader("d/", DIRECTORY, 0o755, xattrs={"trusted.overlay.opaque": b"y"})

    found = read(encode(header))

    assert found == layer({"/d": Dir(xattrs={"trusted.overlay.overlay.opaque": b"y"})})


@pytest.mark.parametrize(
    ("blocks", "entry", "reason"),
    [
        ([file("../etc/passwd")], "../etc/passwd", "upwards"),
        ([file("a/../../b")], "a/../../b", "upwards"),
        ([link("b", "a")], "b", "not there"),
        ([link("a", "a")], "a", "not there"),
        ([link("a", "b"), link("b", "a")], "a", "not there"),
        ([file("a"), link("b", "a"), link("b", "a"), link("b", "b")], "b", "itself"),
        ([file("a"), link("b", "../a")], "b", "upwards"),
        ([directory("d/"), link("b", "d")], "b", "directory"),
        ([symlink("s", "/etc"), file("s/passwd")], "s/passwd", "symlink"),
        ([directory("d/"), file("d/f"), symlink("s", "d"), link("b", "s/f")], "b", "symlink"),
        ([file("f"), file("f/x")], "f/x", "no directory"),
        ([directory("d/"), file("d/x"), file("d"), link("b", "d/x")], "b", "not there"),
        ([file(".wh.")], ".wh.", "no file can have"),
        ([file(".wh...")], ".wh...", "no file can have"),
        ([file("d/.wh..")], "d/.wh..", "no file can have"),
        ([directory(".wh.d/")], ".wh.d/", "empty file"),
        ([file(".wh.d/x")], ".wh.d/x", "means a deletion"),
        ([encode(TarHeader("dev/c", CHARACTER))], "dev/c", "0:0"),
        ([encode(TarHeader("dev/c", CHARACTER, major=5000))], "dev/c", "5000:0"),
        ([symlink("s", "x" * 4096)], "s", "4095"),
        ([file("n" * 256)], "n" * 256, "longer"),
        ([file("d/" * 2048 + "f")], "d/" * 2048 + "f", "longer"),
        ([file("./")], "./", "root"),
        ([patched(file("f"), 124, b"\xff" * 12)], "f", "truncated: -1"),
        ([patched(file("f"), 124, b"77777777777\0")], "f", "truncated"),
        ([patched(file("f"), 124, b"\x80" + b"\xff" * 11)], "f", "truncated"),
        ([patched(file("f"), 124, b"12x45678901\0")], "f", "octal"),
        ([patched(file("f"), 108, b"\xff" * 8)], "f", "-1 is not a user"),
        ([patched(file("f"), 156, b"S" + bytes(229) + OLD_MAP)], "f", "fewer bytes"),
        ([sparse("f", b"1\n0\n9\n", major="1", realsize="9")], "f", "fewer bytes"),
        ([sparse("f", b"1\n8\n9\n", major="1", realsize="9")], "f", "beyond its end"),
        ([sparse("f", b"99999999\n", major="1", realsize="9")], "f", "99999999 pieces"),
        ([sparse("f", b"-1\n", major="1", realsize="9")], "f", "not a number"),
        ([sparse("f", b"x" * 2000, major="1", realsize="9")], "f", "no numbers"),
        ([sparse("f", map="0,1,0,1", size="9")], "f", "overlap"),
        ([sparse("f", map="0,1,0", size="9")], "f", "odd"),
        ([sparse("f", map="", size="9" * 19)], "f", "of 9999999999999999999 bytes"),
        ([sparse("f", map="", size=str(1 << 40))], "f", "more than"),
        ([patched(file("f"), 156, b"M")], "f", "type 'M'"),
        ([file("f")[:-1] + b"x"], "f", "checksum"),
    ],
)
def test_an_entry_that_cannot_be_is_refused_by_name(blocks: list[bytes], entry: str, reason: str) -> None:
    with pytest.raises(LayerFormatError, match=reason) as caught:
        read(*blocks)

    assert caught.value.entry == entry


@pytest.mark.parametrize(
    "extended",
    [
        b"9 path=x\n"[:-1],
        b"99 path=x\n",
        b"x path=x\n",
        b"7 path\n",
        b"4 =\n",
        b"0 a=b\n",
        b"3 \n",
        b"12 size=-99\n",
    ],
)
def test_a_broken_extended_header_is_refused(extended: bytes) -> None:
    header = patched(encode(TarHeader("pax", REGULAR, size=len(extended))), 156, b"x")

    with pytest.raises(LayerFormatError):
        read(header, extended, padding(len(extended)), file("f"))


def test_a_name_with_a_nul_is_refused() -> None:
    extended = pax_record(b"path", b"a\0b")
    header = patched(encode(TarHeader("pax", REGULAR, size=len(extended))), 156, b"x")

    with pytest.raises(LayerFormatError, match="NUL"):
        read(header, extended, padding(len(extended)), file("f"))


def test_an_extended_header_that_claims_gigabytes_is_refused_unread() -> None:
    with pytest.raises(LayerFormatError, match="extended header of"):
        read(patched(patched(file("pax"), 156, b"x"), 124, b"00017777777\0"))


def test_more_entries_than_allowed_are_refused() -> None:
    with pytest.raises(LayerFormatError, match="more than 2"):
        read(file("a"), file("b"), file("c"), limits=Limits(entries=2))


def test_a_tar_may_end_without_end_of_archive_and_without_padding() -> None:
    tree = layer({"/a": "1", "/b": "some content"})
    whole = b"".join(pack(tree))

    assert read_layer(io.BytesIO(whole[:-1024])) == tree
    assert read_layer(io.BytesIO(whole[:-1024].rstrip(b"\0"))) == tree
    assert read_layer(io.BytesIO(whole + bytes(8192))) == tree


def test_an_empty_stream_is_an_empty_layer() -> None:
    assert read_layer(io.BytesIO()) == layer({})


@given(st.data())
def test_a_truncated_or_damaged_tar_is_refused_or_read_but_never_crashes(data: st.DataObject) -> None:
    tree = layer(
        {"/d/a": b"1" * 700, "/d/b": Hardlink("/d/a"), "/" + "n" * 120: File("x", mtime_ns=1), "/w": WHITEOUT}
    )
    tar = bytearray(b"".join(pack(tree)))
    for _ in range(data.draw(st.integers(0, 3))):
        tar[data.draw(st.integers(0, len(tar) - 1))] = data.draw(st.integers(0, 255))
    del tar[data.draw(st.integers(0, len(tar))) :]

    try:
        read_layer(io.BytesIO(bytes(tar)))
    except LayerFormatError as error:
        assert str(error)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_of_other_writers_are_read(form: int) -> None:
    out = io.BytesIO()
    name = "d/" * 40 + "n" * 60
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers={"comment": "c"}) as archive:
        member = tarfile.TarInfo(name)
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))

    assert read_layer(io.BytesIO(out.getvalue())).read_bytes("/" + name) == b"hello"


def test_big_contents_stay_on_disk_and_outlive_the_stream(tmp_path: Path) -> None:
    tree = layer({"/big": b"x" * 100_000, "/small": "y"})
    (tmp_path / "layer.tar").write_bytes(b"".join(pack(tree)))

    with open(tmp_path / "layer.tar", "rb") as stream:
        found = read_layer(stream)
    os.unlink(tmp_path / "layer.tar")

    assert type(found.root.children["big"].content).__name__ == "Slice"
    assert found == tree


def test_a_stream_that_cannot_seek_is_spooled() -> None:
    reading, writing = os.pipe()
    tree = layer({"/big": b"x" * 20_000})
    with open(writing, "wb") as sink:
        sink.write(b"".join(pack(tree)))

    with open(reading, "rb") as stream:
        assert read_layer(stream) == tree


def test_a_file_over_a_symlink_replaces_the_symlink() -> None:
    assert read(symlink("s", "/etc/passwd"), file("s", b"x")) == layer({"/s": "x"})
    assert read(symlink("s", "a")) == layer({"/s": Symlink("a")})


def test_the_later_of_two_entries_wins_and_takes_with_it_what_was_below() -> None:
    made = read(
        directory("d/"), directory("d/e/"), file("d/e/x"), file("a"), link("d/b", "a"), file("d", b"now")
    )

    assert made == layer({"/a": "", "/d": "now"})
    assert made.lstat("/a").st_nlink == 1


def test_a_directory_comes_back_where_a_file_took_its_place() -> None:
    made = read(file("d/x", b"1"), file("d"), file("d/y", b"2")[:0], directory("d/"), file("d/y", b"2"))

    assert made == layer({"/d/y": "2"})
