"""Inside ``learner(union)`` ordinary Python works on the merged view, and nothing reaches the machine."""

from __future__ import annotations

import errno
import glob
import gzip
import io
import os
import pathlib
import resource
import shutil
import tarfile
import tempfile
from os.path import getsize
from pathlib import Path

import pytest

from unionfs_sim import WHITEOUT, Dir, Layer, Union, layer, mount
from unionfs_sim.caller import Caller
from unionfs_sim.fakefs import REFUSED, learner
from unionfs_sim.fakefs.descriptors import FIRST
from unionfs_sim.fakefs.fake_io import TOUCH_NO_FILE, FakeIo
from unionfs_sim.fakefs.fake_os import HARMLESS, FakeOs
from unionfs_sim.fakefs.session import Session

PASSWD = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"


@pytest.fixture
def union() -> Union:
    base = layer(
        {"/etc/motd": "hello", "/etc/passwd": PASSWD, "/tmp": Dir(mode=0o1777), "/d/a": "1", "/d/b/c": "2"}
    )
    return mount(lowers=[base, layer({"/etc/issue": "x", "/d/a": WHITEOUT})], upper=Layer())


def test_open_reads_the_merged_view_and_writes_the_upper(union: Union) -> None:
    with learner(union), open("/etc/motd", "a") as file:
        file.write(", world")

    assert union.upper.read_bytes("/etc/motd") == b"hello, world"
    assert not union.lowers[0].read_bytes("/etc/motd").endswith(b"world")


def test_a_whiteout_is_no_such_file(union: Union) -> None:
    with learner(union):
        assert not os.path.exists("/d/a")
        with pytest.raises(FileNotFoundError):
            open("/d/a")
        assert os.listdir("/d") == ["b"]


def test_pathlib_glob_and_walk(union: Union) -> None:
    with learner(union):
        pathlib.Path("/new").write_text("text")
        assert pathlib.Path("/new").read_text() == "text"
        assert pathlib.Path("/etc/motd").owner() == "root"
        assert sorted(glob.glob("/etc/*")) == ["/etc/issue", "/etc/motd", "/etc/passwd"]
        assert list(os.walk("/d")) == [("/d", ["b"], []), ("/d/b", [], ["c"])]
        assert sorted(path.name for path in pathlib.Path("/d").rglob("*")) == ["b", "c"]


def test_functions_imported_by_name_before_are_replaced_too(union: Union) -> None:
    with learner(union):
        assert getsize("/etc/motd") == 5


def test_shutil_copies_and_removes_trees(union: Union) -> None:
    with learner(union):
        shutil.copytree("/d", "/copy")
        shutil.move("/copy/b", "/moved")
        shutil.rmtree("/d")
        assert sorted(os.listdir("/")) == ["copy", "etc", "moved", "tmp"]

    assert union.upper.lstat("/d").st_rdev == 0


def test_tempfile_tarfile_and_gzip(union: Union) -> None:
    with learner(union):
        with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
            assert os.stat(file.name).st_size == 1
        assert os.listdir("/tmp") == []
        with tarfile.open("/d.tar.gz", "w:gz") as archive:
            archive.add("/etc")
        with tarfile.open("/d.tar.gz") as archive:
            assert archive.getmember("etc/motd").uname == "root"
            archive.extractall("/out")
        with gzip.open("/z.gz", "wt") as packed:
            packed.write("text")
        assert gzip.open("/z.gz", "rt").read() == "text"
        assert open("/out/etc/motd").read() == "hello"


def test_the_caller_is_who_was_asked_for(union: Union) -> None:
    with learner(union, caller=Caller(1000, 1000)):
        assert os.getuid() == 1000
        with pytest.raises(PermissionError):
            open("/etc/motd", "w")
        assert not os.access("/etc/motd", os.W_OK)


def test_relative_paths_start_at_the_working_directory(union: Union) -> None:
    with learner(union, cwd="/etc"):
        assert open("motd").read() == "hello"
        os.chdir("../d/b")
        assert os.getcwd() == "/d/b"
        assert os.path.abspath("c") == "/d/b/c"
        os.umask(0o077)
        pathlib.Path("mine").touch()

    assert union.lstat("/d/b/mine").st_mode & 0o777 == 0o600


def test_everything_is_the_machines_again_afterwards(union: Union, tmp_path: Path) -> None:
    with learner(union):
        assert not os.path.exists(tmp_path)

    assert os.path.exists(tmp_path)
    assert os.open is not None and os.stat(tmp_path).st_uid == os.getuid()


def test_files_left_open_are_closed_at_the_end(union: Union) -> None:
    with learner(union):
        descriptor = os.open("/etc/motd", os.O_RDONLY)

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.read(descriptor, 1)


def test_a_descriptor_of_the_union_never_equals_one_of_the_host(union: Union) -> None:
    """The clash: a descriptor of the fake met a real one, and os.pwrite wrote to the learner's real file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open") as file:
        assert int(file.read()) <= FIRST
    assert hard <= FIRST or hard == resource.RLIM_INFINITY

    with learner(union):
        descriptor = os.open("/etc/motd", os.O_RDWR)

        assert descriptor >= FIRST
        assert os.dup(descriptor) >= FIRST


def test_a_descriptor_of_the_host_means_nothing_inside(union: Union, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_bytes(b"safe")
    real = os.open(canary, os.O_RDWR)
    try:
        with learner(union):
            for verb in (
                lambda: os.pwrite(real, b"HACK", 0),
                lambda: os.write(real, b"HACK"),
                lambda: os.ftruncate(real, 0),
                lambda: os.fchmod(real, 0),
                lambda: os.dup2(os.open("/etc/motd", os.O_RDONLY), real),
                lambda: open(real, "w"),
                lambda: os.read(real, 4),
                lambda: os.close(real),
            ):
                with pytest.raises(OSError, match=r"Bad file descriptor|a descriptor of the host"):
                    verb()
    finally:
        os.close(real)
    assert canary.read_bytes() == b"safe"


@pytest.mark.parametrize("name", sorted(name for name in dir(os) if callable(getattr(os, name))))
def test_each_callable_of_os_is_the_unions_or_harmless_or_refused(name: str, union: Union) -> None:
    fake = FakeOs(Session(union, "/"))
    if name.startswith("_"):
        return
    found, real = getattr(fake, name), getattr(os, name)

    if name in HARMLESS or not hasattr(real, "__name__"):
        return
    assert found is not real
    if not hasattr(FakeOs, name):
        with pytest.raises(OSError, match=rf"os\.{name} is not simulated on a union") as refused:
            found()
        assert refused.value.errno == errno.ENOSYS


@pytest.mark.parametrize(
    "name", sorted(name for name in dir(io) if callable(getattr(io, name)) and name[0] != "_")
)
def test_each_callable_of_io_is_the_unions_or_harmless_or_refused(name: str, union: Union) -> None:
    fake = FakeIo(Session(union, "/"))
    real = getattr(io, name)
    if name in {"open", "open_code", "FileIO"}:
        with pytest.raises(FileNotFoundError):
            getattr(fake, name)("/absent")
    elif name not in TOUCH_NO_FILE:
        with pytest.raises(OSError, match=rf"io\.{name} is not simulated on a union"):
            getattr(fake, name)()
    else:
        assert getattr(fake, name) is real


@pytest.mark.parametrize("module", REFUSED)
def test_modules_that_would_reach_the_machine_are_refused(module: str, union: Union) -> None:
    calls = {"posix": "open", "fcntl": "flock", "subprocess": "run", "ctypes": "CDLL", "sqlite3": "connect"}
    name = calls.get(module, "mmap" if module == "mmap" else "fork_exec")
    with learner(union):
        stand_in = __import__(module)
        with pytest.raises(OSError, match=f"{module}.{name} is not simulated") as refused:
            getattr(stand_in, name)("x")
    assert refused.value.errno == errno.ENOSYS


def test_bytes_paths_get_bytes_answers(union: Union) -> None:
    with learner(union):
        assert sorted(os.listdir(b"/etc")) == [b"issue", b"motd", b"passwd"]
        assert [entry.name for entry in os.scandir(b"/d")] == [b"b"]
        os.mkdir(b"/\xff")
        assert b"\xff" in os.listdir(b"/")
        assert "\udcff" in os.listdir("/")


def test_the_modes_of_open_are_those_of_io(union: Union) -> None:
    with learner(union):
        for mode in ("", "rw", "rbt", "z", "rr"):
            with pytest.raises(ValueError, match=r"mode|exactly one|binary"):
                open("/etc/motd", mode)
        with open("/etc/motd", "rb+", buffering=0) as raw:
            assert (raw.mode, raw.read(2), raw.tell()) == ("rb+", b"he", 2)
        with pytest.raises(FileExistsError):
            open("/etc/motd", "x")
        with pytest.raises(IsADirectoryError):
            open("/etc")
        with pytest.raises(io.UnsupportedOperation):
            open("/etc/motd").write("x")
