"""ADD of archives: what they unpack to, and what is refused."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from builder.context.archive import is_archive, unpack
from builder.context.copying import Destination, Draft
from builder.context.edit import make
from builder.errors import BuildError
from builder.image.compression import zstd_module
from unionfs_sim.layers.layer import Dir, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.nodes.content import Content


def archive(*members: tuple[str, str, str], mode: str = "w:gz") -> bytes:
    """A tar of (name, type, body or target)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as tar:  # type: ignore[call-overload]
        for name, kind, value in members:
            info = tarfile.TarInfo(name)
            info.mode, info.uid = 0o640, 5
            if kind == "file":
                info.size = len(value)
                tar.addfile(info, io.BytesIO(value.encode()))
                continue
            info.type = {"dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}[kind]
            info.linkname = value
            tar.addfile(info)
    return stream.getvalue()


def unpacked(raw: bytes, root: Layer | None = None) -> Layer:
    image = Layer() if root is None else root
    to = Destination(path="/x/")
    draft = Draft(image, to)
    unpack(Content.of(raw), "a.tgz", draft, to)
    make(image, draft.edits)
    return image


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_is_told_by_its_bytes_and_unpacked_with_its_owners_and_modes(mode: str):
    raw = archive(
        ("d", "dir", ""), ("d/f", "file", "f"), ("d/l", "link", "f"), ("d/h", "hard", "d/f"), mode=mode
    )

    assert is_archive(Content.of(raw))
    assert unpacked(raw) == layer(
        {
            "/x": Dir(),
            "/x/d": Dir(mode=0o640, uid=5),
            "/x/d/f": File("f", mode=0o640, uid=5),
            "/x/d/h": Hardlink("/x/d/f"),
            "/x/d/l": Symlink("f", uid=5),
        }
    )


def test_an_archive_that_is_compressed_with_zstd_is_one_too():
    zstd = zstd_module()
    assert zstd is not None
    raw = zstd.compress(archive(("f", "file", "f"), mode="w"))

    assert is_archive(Content.of(raw))
    assert unpacked(raw) == layer({"/x": Dir(), "/x/f": File("f", mode=0o640, uid=5)})


@pytest.mark.parametrize(
    "raw", [b"", b"hello", gzip.compress(b"hello", mtime=0), b"\x1f\x8b broken", bytes(600)]
)
def test_what_is_no_archive_is_copied_as_a_file(raw: bytes):
    assert not is_archive(Content.of(raw))


@pytest.mark.parametrize("name", ["../f", "a/../../f"])
def test_an_entry_that_would_leave_the_destination_is_refused(name: str):
    with pytest.raises(BuildError, match="would leave the destination"):
        unpacked(archive((name, "file", "x")))


@pytest.mark.parametrize("target", ["/etc", "../../etc", "../etc", "./../etc/."])
def test_the_destination_is_the_root_for_an_entry_below_a_symlink(target):
    raw = archive(("etc", "dir", ""), ("out", "link", target), ("out/f", "file", "x"))

    image = unpacked(raw)

    assert image.read_bytes("/x/etc/f") == b"x"
    assert not image.exists("/etc")


def test_a_truncated_archive_is_one_clear_error():
    raw = archive(("f", "file", "x" * 100_000), mode="w")

    with pytest.raises(BuildError, match=r"a\.tgz: the archive"):
        unpacked(raw[:50_000])


def test_large_files_are_read_from_disk():
    raw = archive(("f", "file", "x" * 600_000))

    assert unpacked(raw).read_bytes("/x/f") == b"x" * 600_000


def test_an_entry_below_a_symlink_that_leads_nowhere_is_refused():
    with pytest.raises(BuildError, match="leads nowhere"):
        unpacked(archive(("out", "link", "/etc"), ("out/f", "file", "x")), layer({"/etc": Dir()}))


# BuildKit unpack.go hands the owner of --chown to chrootarchive, since 0.14 for entries as well.
def test_the_owner_of_the_copy_is_the_owner_of_every_entry():
    to = Destination(path="/x/", owner=(9, 8))
    image = Layer()
    draft = Draft(image, to)
    unpack(Content.of(archive(("d", "dir", ""), ("d/f", "file", "f"), ("l", "link", "d"))), "a", draft, to)
    make(image, draft.edits)

    assert {image.lstat(path)[4:6] for path in ("/x", "/x/d", "/x/d/f", "/x/l")} == {(9, 8)}


KINDS = ("file", "dir", "link", "hard", "full")
"""What an entry may be; ``full`` is a directory with something in it."""


@pytest.mark.parametrize("new", KINDS)
@pytest.mark.parametrize("old", KINDS)
def test_an_entry_takes_the_place_of_what_is_there_unless_both_are_directories(old: str, new: str):
    def members(kind: str, mark: str) -> list[tuple[str, str, str]]:
        made = "dir" if kind == "full" else kind
        value = {"file": mark, "link": f"to-{mark}", "hard": mark}.get(kind, "")
        return [
            (mark, "file", mark),
            ("name", made, value),
            *([(f"name/{mark}", "file", mark)] if kind == "full" else []),
        ]

    once = unpacked(archive(*members(old, "old"), *members(new, "new")))
    twice = unpacked(archive(*members(new, "new")), unpacked(archive(*members(old, "old"))))

    both = {old, new} <= {"dir", "full"}
    expected = unpacked(archive(("old", "file", "old"), *members(new, "new")))
    if both and old == "full":
        expected = unpacked(archive(("name/old", "file", "old")), expected)
    assert once == twice == expected
