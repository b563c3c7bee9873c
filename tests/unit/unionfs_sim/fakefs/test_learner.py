"""Inside ``learner(union)`` ordinary Python works on the merged view, and nothing reaches the machine."""

from __future__ import annotations

import copy
import dbm.dumb
import errno
import glob
import gzip
import importlib
import io
import os
import pathlib
import pickle
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from os.path import getsize
from pathlib import Path, PurePosixPath
from types import ModuleType

import pytest

from unionfs_sim import WHITEOUT, Dir, Layer, Union, layer, mount
from unionfs_sim.fakefs import REFUSED, learner
from unionfs_sim.fakefs.descriptors import FIRST
from unionfs_sim.fakefs.fake_io import TOUCH_NO_FILE, FakeIo
from unionfs_sim.fakefs.fake_os import HARMLESS, FakeOs
from unionfs_sim.fakefs.session import Session
from unionfs_sim.nodes.caller import Caller

PASSWD = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n"


@pytest.fixture
def union() -> Union:
    base = layer(
        {"/etc/motd": "hello", "/etc/passwd": PASSWD, "/tmp": Dir(mode=0o1777), "/d/a": "1", "/d/b/c": "2"}
    )
    return mount(lowers=[base, layer({"/etc/issue": "x", "/d/a": WHITEOUT})], upper=Layer())


@pytest.fixture(scope="module")
def fake_os() -> FakeOs:
    return FakeOs(Session(layer({}), "/"))


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
            archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # Python 3.11.4
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
def test_each_callable_of_os_is_the_unions_or_harmless_or_refused(name: str, fake_os: FakeOs) -> None:
    fake = fake_os
    if name.startswith("_"):
        return
    found, real = getattr(fake, name), getattr(os, name)

    if name in HARMLESS or not hasattr(real, "__name__"):
        return
    assert found is not real
    if name not in fake.dir() and not hasattr(FakeOs, name):
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


def test_modules_that_would_reach_the_machine_are_refused(union: Union) -> None:
    calls = {"posix": "open", "fcntl": "flock", "subprocess": "run", "ctypes": "CDLL", "sqlite3": "connect"}
    refused = []
    with learner(union):
        for module in REFUSED:
            name = calls.get(module, "mmap" if module == "mmap" else "fork_exec")
            with pytest.raises(OSError, match=f"{module}.{name} is not simulated") as error:
                getattr(__import__(module), name)("x")
            refused.append(error.value.errno)
    assert refused == [errno.ENOSYS] * len(REFUSED)


def test_a_name_imported_between_two_uses_is_replaced_in_the_second(union: Union) -> None:
    module = ModuleType("between")
    sys.modules["between"] = module
    try:
        with learner(union):
            pass
        exec("import os\ndef look(): return os.path.exists('/etc/issue')", vars(module))
        with learner(union):
            assert vars(module)["os"] is os
            assert vars(module)["look"]()
    finally:
        del sys.modules["between"]


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


def test_a_learner_inside_a_learner_is_refused(union: Union) -> None:
    with learner(union):
        with pytest.raises(RuntimeError, match="active already"), learner(union):
            pass
        assert os.path.exists("/etc/motd")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_an_exception_inside_leaves_and_gives_the_machine_back(
    kind: type[BaseException], union: Union, tmp_path: Path
) -> None:
    with pytest.raises(kind), learner(union):
        open("/etc/motd")
        raise kind

    assert tmp_path.exists()
    with learner(union):
        assert not tmp_path.exists()


def test_a_generator_that_outlives_the_learner_finds_its_file_closed(union: Union) -> None:
    def lines() -> Iterator[str]:
        with open("/d/b/c") as file:
            yield file.read(1)
            yield file.read()

    with learner(union):
        generator = lines()
        assert next(generator) == "2"

    with pytest.raises((OSError, ValueError)):
        open_files = next(generator)
        assert open_files == ""
        raise ValueError  # what was buffered may still be told, and no more


def test_modules_can_be_imported_inside(union: Union) -> None:
    sys.modules.pop("this_is_absent", None)
    with learner(union):
        module = importlib.import_module("xml.dom.minidom")
        assert module.parseString("<a/>").documentElement.tagName == "a"
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module("this_is_absent")
        assert open("/new", "w", encoding="cp1140").write("a") == 1


def test_classes_that_keep_a_module_get_the_stand_in(union: Union) -> None:
    """dbm.dumb's class holds ``os`` and ``io`` as attributes, through which it wrote to the machine."""
    with learner(union):
        with dbm.dumb.open("/base", "c") as base:
            base["a"] = b"1"
        assert os.path.exists("/base.dir")

    assert not os.path.exists("/base.dir")
    assert dbm.dumb._Database._os is os  # type: ignore[attr-defined]


def test_threads_that_are_started_inside_work_on_the_union(union: Union) -> None:
    with learner(union), ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: Path(f"/tmp/{number}").write_text("x"), range(50)))
        assert len(os.listdir("/tmp")) == 50


def test_two_directories_given_by_descriptor(union: Union) -> None:
    with learner(union):
        etc, d = os.open("/etc", os.O_RDONLY), os.open("/d", os.O_RDONLY)
        os.rename("motd", "m", src_dir_fd=etc, dst_dir_fd=d)
        os.link("issue", "i", src_dir_fd=etc, dst_dir_fd=d)
        assert sorted(os.listdir(d)) == ["b", "i", "m"]


def test_the_working_directory_is_told_as_it_is_now(union: Union) -> None:
    with learner(union):
        os.makedirs("/x/y")
        os.chdir("/x/y")
        os.rename("/x", "/z")
        assert os.getcwd() == "/z/y"
        shutil.rmtree("/z")
        with pytest.raises(FileNotFoundError):
            os.getcwd()


def test_paths_are_paths_and_equal_the_pure_ones(union: Union) -> None:
    with learner(union):
        assert Path("/a") == PurePosixPath("/a")
        assert isinstance(Path("/a"), pathlib.PosixPath)
        assert isinstance(Path("/a"), PurePosixPath)
        assert pathlib.Path is Path
        with pytest.raises(OSError, match="not simulated"):
            pathlib.WindowsPath("/a")


def test_a_union_that_takes_no_writes_says_so(union: Union) -> None:
    with learner(mount(union.lowers)), pytest.raises(OSError, match="Read-only file system"):
        open("/new", "w")


def test_pyfakefs_is_loaded_only_inside(union: Union) -> None:
    code = "import sys, unionfs_sim.fakefs; sys.exit('pyfakefs' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_stat_result_can_be_copied_inside(union: Union) -> None:
    """From Python 3.12 on this asks sys.modules for ``posix``, and crashed on what is no module."""
    with learner(union):
        told = os.stat("/etc/motd")
        assert copy.copy(told) == pickle.loads(pickle.dumps(told)) == told


def test_a_path_is_resolved_on_the_union(union: Union) -> None:
    """In Python 3.12 Path.resolve asks an attribute of PurePath, through which it reached the machine."""
    with learner(union):
        os.symlink("motd", "/etc/link")
        os.chdir("/etc")
        assert Path("link").resolve() == PurePosixPath("/etc/motd")


def test_functions_are_the_same_objects_in_every_module(union: Union) -> None:
    with learner(union):
        assert os.lstat is os.lstat is shutil.os.lstat  # type: ignore[attr-defined]
