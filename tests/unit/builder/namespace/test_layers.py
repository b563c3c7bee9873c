"""A raw layer on disk and back: what is written is what is read, in the kernel's own spelling."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from builder.namespace.directories import clear, publish
from builder.namespace.owned import OwnedDirectory
from builder.namespace.packing import read_upper
from builder.namespace.stack import Ownership
from builder.namespace.unpacking import _Writer as Writer
from unionfs_sim.filesystem import Attributes
from unionfs_sim.layers.layer import WHITEOUT, Dir, File, Layer, Symlink, layer
from unionfs_sim.tar.pack import pack

TREE = {
    "/etc": Dir(mode=0o750),
    "/etc/motd": "hello",
    "/etc/gone": WHITEOUT,
    "/bin/su": File("x", mode=0o4755),
    "/bin/link": Symlink("su"),
    "/big": b"b" * 3_000_000,
}


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def tar(tree: Layer) -> bytes:
    return b"".join(pack(tree))


@pytest.mark.parametrize("ownership", Ownership)
def test_a_layer_comes_back_as_it_was_written(ownership: Ownership) -> None:
    Writer(ownership).write(layer(TREE))

    back, entries = read_upper(None, ownership)

    assert back == layer(TREE)
    assert entries == 7


def test_owners_that_cannot_be_are_kept_even_those_of_symlinks() -> None:
    tree = layer({"/d": Dir(uid=33, gid=44), "/d/f": File("f", uid=5), "/d/l": Symlink("f", uid=7, gid=8)})
    Writer(Ownership.KEPT).write(tree)

    back, _ = read_upper(None, Ownership.KEPT)

    assert os.lstat("d/f").st_uid == os.geteuid()
    assert tar(back) == tar(tree)
    with OwnedDirectory(".", Ownership.KEPT) as shown:
        assert shown.lstat("/d/l").st_uid == 7
        assert shown.xattrs("/d") == {}
        shown.setattr("/d/f", Attributes(gid=9))
        assert shown.lstat("/d/f")[4:6] == (5, 9)
        shown.setattr("/d/f", Attributes(uid=0, gid=0))
        assert shown.lstat("/d/f")[4:6] == (0, 0)


def test_hard_links_stay_links_and_whiteouts_are_none_of_them() -> None:
    os.mkdir("d")
    Path("d/a").write_text("a")
    os.link("d/a", "b")
    os.mknod("w1", stat.S_IFCHR, 0)
    os.link("w1", "w2")

    back, _ = read_upper(None, Ownership.REAL)

    assert back.lstat("/b").st_ino == back.lstat("/d/a").st_ino
    assert b".wh.w1" in tar(back)
    assert b".wh.w2" in tar(back)


def test_times_are_clamped_on_disk_and_in_the_layer() -> None:
    os.mkdir("d")
    Path("d/f").write_text("f")
    os.symlink("f", "d/l")

    back, _ = read_upper(7, Ownership.REAL)

    for path in ("d", "d/f", "d/l", "."):
        assert os.lstat(path).st_mtime_ns == 7
    assert back.lstat("/d").st_mtime_ns == 7


def test_a_socket_is_removed() -> None:
    import socket

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        back, entries = read_upper(None, Ownership.REAL)

    assert (entries, back.listdir("/"), os.path.lexists("s")) == (0, [], False)


def test_no_image_can_set_attributes_of_the_union_or_owners_that_it_does_not_have() -> None:
    tree = Layer()
    tree.write_bytes("/f", b"f")
    tree.setxattr("/f", "user.note", b"n")
    tree.setxattr("/f", "user.overlay.redirect", b"/etc")
    tree.setxattr("/f", "user.layerlab.owner", b"1:1")

    Writer(Ownership.KEPT).write(tree)

    assert os.listxattr("f") == ["user.note"]


def test_clearing_needs_no_stack_however_deep_and_leaves_what_a_symlink_leads_to(inside: Path) -> None:
    Path("kept").mkdir()
    Path("kept/f").write_text("f")
    os.mkdir("top")
    here = os.open("top", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    os.symlink("../kept", "top/link")
    os.mkdir("top/.removed-1")

    clear("top")
    clear("top")

    assert sorted(os.listdir(".")) == ["kept"]
    assert os.listdir("kept") == ["f"]


def test_whoever_publishes_second_leaves_the_first_alone() -> None:
    for name in ("one", "two", "three"):
        os.mkdir(name)
        Path(name, name).write_text(name)

    publish("one", "layer")
    publish("two", "layer")

    assert os.listdir("layer") == ["one"]
    assert not os.path.exists("two")
