from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from unionfs_sim import Dir, File, Hardlink, Symlink, layer
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.host import directory as real_directory
from unionfs_sim.host.layer import HostDirectory, read_directory, write_directory
from unionfs_sim.tar.pack import pack


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with something outside it that must stay out of reach."""
    (tmp_path / "secret").write_text("outside")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/motd").write_text("hello")
    (root / "absolute").symlink_to("/etc")
    (root / "up").symlink_to("../../..")
    (root / "escape").symlink_to(tmp_path / "secret")
    (root / "deep").symlink_to("etc/../etc/motd")
    (root / "loop").symlink_to("loop")
    return root


def read(directory: HostDirectory, path: str) -> bytes:
    with directory.open(path) as file:
        return file.read()


def test_it_is_a_filesystem(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        found: Filesystem = directory

        assert found.lstat("/etc/motd").st_size == 5
        assert sorted(found.listdir("etc")) == ["motd"]


def test_an_absolute_symlink_starts_at_the_directory(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        assert read(directory, "/absolute/motd") == b"hello"
        assert read(directory, "deep") == b"hello"


def test_no_path_leads_outside(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        assert directory.listdir("/up") == directory.listdir("/../..") == directory.listdir("/")
        assert read(directory, "../../etc/motd") == b"hello"
        with pytest.raises(FileNotFoundError):
            directory.open("/escape")
        with pytest.raises(FileNotFoundError):
            directory.open("/up/secret")


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/loop", errno.ELOOP),
        ("/loop/x", errno.ELOOP),
        ("/none", errno.ENOENT),
        ("/etc/motd/x", errno.ENOTDIR),
        ("/none/..", errno.ENOENT),
        ("", errno.ENOENT),
        ("/a\0b", errno.EINVAL),
        ("/" + "n" * 256, errno.ENAMETOOLONG),
        ("/etc/motd/", errno.ENOTDIR),
    ],
)
def test_errors_have_the_kernels_number_and_the_path_that_was_given(
    tree: Path, path: str, number: int
) -> None:
    with HostDirectory(tree) as directory, pytest.raises(OSError) as caught:
        directory.open(path)

    assert (caught.value.errno, caught.value.filename) == (number, path)


def test_verbs_other_than_open_do_not_follow_the_last_symlink(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        assert stat.S_ISLNK(directory.lstat("/absolute").st_mode)
        assert directory.readlink(b"/absolute") == b"/etc"
        directory.setattr("/escape", Attributes(mode=0o600, mtime_ns=5))
        directory.remove("/escape")

    assert (tree.parent / "secret").read_text() == "outside"
    assert stat.S_IMODE((tree.parent / "secret").stat().st_mode) != 0o600


def test_a_fifo_or_socket_is_not_opened(tree: Path) -> None:
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as server, HostDirectory(tree) as directory:
        server.bind(str(tree / "s"))
        for path in ("/fifo", "/s"):
            with pytest.raises(OSError) as caught:
                directory.open(path)
            assert caught.value.errno == errno.ENXIO


def test_a_directory_that_was_replaced_by_a_symlink_is_not_walked_into(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        os.rename(tree / "etc", tree / "old")
        (tree / "etc").symlink_to("/")

        with pytest.raises(FileNotFoundError):
            directory.open("/etc/secret")


def test_names_that_are_not_utf8_are_kept(tree: Path) -> None:
    with HostDirectory(tree) as directory:
        directory.open(b"/\xff", os.O_WRONLY | os.O_CREAT).close()

        assert b"\xff" in directory.listdir(b"/")
        assert "\udcff" in directory.listdir("/")


def test_a_tree_deeper_than_the_recursion_limit_is_walked(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    try:
        with HostDirectory(tmp_path) as directory:
            assert directory.listdir("/d" * 1100) == []
        assert len(list(read_directory(tmp_path).inodes())) == 1101
    finally:
        subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)  # pytest's own cleaning recurses


def test_no_descriptor_stays_open(tree: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for number in range(100):
        (tree / str(number)).mkdir()
        (tree / str(number) / "f").write_text("x")

    with HostDirectory(tree) as directory:
        for number in range(100):
            read(directory, f"/{number}/f")
        assert len(os.listdir("/proc/self/fd")) < before + 80

    assert len(os.listdir("/proc/self/fd")) == before


def test_a_layer_that_was_written_and_read_back_is_the_same(tmp_path: Path) -> None:
    tree = layer(
        {
            "/bin/sh": File("x" * 5000, mode=0o755, mtime_ns=1_000_000_001),
            "/bin/bash": Hardlink("/bin/sh"),
            "/s": Symlink("/bin"),
            "/d": Dir(mode=0o700, mtime_ns=7_000_000_000),
        },
        root=Dir(mode=stat.S_IMODE(tmp_path.stat().st_mode), uid=os.getuid(), gid=os.getgid()),
    )
    mine = [
        (path, inode) for path, inode in tree.inodes() if (inode.uid, inode.gid) != (os.getuid(), os.getgid())
    ]
    for path, _ in mine:
        tree.chown(path, os.getuid(), os.getgid(), follow_symlinks=False)

    write_directory(tree, tmp_path)
    found = read_directory(tmp_path)

    assert found == tree
    assert found.lstat("/d").st_mtime_ns == 7_000_000_000
    assert b"".join(pack(found, latest_ns=0)) == b"".join(pack(tree, latest_ns=0))


def test_a_context_file_that_grows_while_it_is_packed_does_not_shift_the_tar(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 5000)
    found = read_directory(tmp_path)
    (tmp_path / "log").write_bytes(b"x" * 9000)

    assert len(found.root.children["log"].content.read()) == 5000


def test_a_symlink_that_appears_at_the_last_moment_is_not_followed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(directory: int, name: str) -> None:
        os.unlink(name, dir_fd=directory)
        os.symlink(tree.parent / "secret", name, dir_fd=directory)

    monkeypatch.setattr(real_directory, "_refuse_special", swapped)

    with HostDirectory(tree) as directory, pytest.raises(OSError) as caught:
        directory.open("/etc/motd")

    assert caught.value.errno == errno.ELOOP
