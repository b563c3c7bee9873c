"""The embedded base images: complete, deterministic, small and alike in what they share."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from builder.world.machine.executable import PROGRAM_MAGIC
from builder.world.programs import PROGRAMS
from builder.world.programs.cc.library.libc import LIBC
from builder.world.programs.cc.library.natives import HTTP
from builder.world.shell import SHELLS
from builder.world.supplies import bases, description
from builder.world.supplies.description import read_text
from builder.world.utilities import UTILITIES
from unionfs_sim import Layer, mount

NEEDED = [
    "skillfir/alpine:gcc", "skillfir/alpine:glibc", "alpine:3.19", "alpine:latest", "busybox:latest",
    "debian:bookworm", "debian:bookworm-slim", "gcc:latest", "nginx:latest", "nginx:alpine", "ubuntu:22.04",
]  # fmt: skip


def view(name):
    return mount(lowers=list(bases.find(name).layers), upper=Layer())


@pytest.mark.parametrize("name", NEEDED)
def test_the_images_that_the_course_names_exist(name):
    image = bases.find(name)

    assert image is not None
    assert image.scale == 100
    assert len(image.layers) == len(image.created_by)
    assert all(made.is_frozen for made in image.layers)


@pytest.mark.parametrize("name", ["nope", "alpine:1.0", "ghcr.io/alpine:3.19", "alpine@sha256:" + "0" * 64])
def test_an_unknown_image_is_none(name):
    assert bases.find(name) is None


def test_a_name_nearby_is_suggested():
    assert bases.nearest("alpin")[0].startswith("alpine:")


def test_a_name_without_a_tag_is_latest():
    assert bases.find("alpine").layers == bases.find("alpine:latest").layers


@pytest.mark.parametrize("name", bases.names())
def test_every_image_has_what_a_system_has(name):
    fs = view(name)

    assert fs.read_bytes("/etc/passwd").startswith(b"root:x:0:0:")
    assert fs.read_bytes("/etc/group").startswith(b"root:x:0:")
    assert stat.S_IMODE(fs.stat("/tmp").st_mode) == 0o1777
    assert fs.access("/bin/sh", 1)


@pytest.mark.parametrize(
    "name", ["debian:bookworm", "nginx:latest", "gcc:latest", "skillfir/alpine:gcc", "alpine:3.19"]
)
def test_every_program_in_an_image_is_known(name):
    known = {*PROGRAMS, *SHELLS, *UTILITIES}
    missing = set()
    for layer in bases.find(name).layers:
        for _, inode in layer.inodes():
            if stat.S_ISREG(inode.mode) and inode.content.read(0, 5) == PROGRAM_MAGIC:
                program = inode.content.read(5, 40).partition(b"\n")[0].decode()
                missing |= {program} - known

    assert missing <= EXPECTED_MISSING


EXPECTED_MISSING = {
    "factor", "hostid", "join", "pr", "shred", "stty", "sum", "tsort", "users", "who",
    "run-parts", "tempfile", "getent", "getopt", "flock", "more", "umount", "setpriv",
    "cc1", "c++", "g++", "perl", "openssl",
    "setsid", "su", "nologin", "passwd", "chpasswd", "sha224sum", "sha384sum", "chroot", "shuf",
}  # fmt: skip
"""Programs that Debian has and the simulation does not: running one says so."""


def test_images_of_one_family_share_their_layers():
    debian, slim, nginx = (bases.find(name) for name in ("debian:12", "debian:12-slim", "nginx:1.24"))

    assert debian.layers[0] is slim.layers[0] is nginx.layers[0]


def test_sizes_keep_their_proportions():
    def weigh(name):
        return sum(
            inode.content.size
            for layer in bases.find(name).layers
            for _, inode in layer.inodes()
            if stat.S_ISREG(inode.mode)
        )

    alpine, slim, gcc, tools = (
        weigh(name) for name in ("alpine", "debian:12-slim", "gcc", "skillfir/alpine:gcc")
    )

    assert 60_000 < alpine < 120_000
    assert 700_000 < slim < 1_000_000
    assert 9_000_000 < gcc < 14_000_000
    assert 10 * alpine < tools < gcc


def test_the_configuration_is_the_images():
    gcc, nginx = bases.find("skillfir/alpine:gcc"), bases.find("nginx")

    assert gcc.config["WorkingDir"] == "/usr/src"
    assert nginx.config["Cmd"] == ["nginx", "-g", "daemon off;"]
    assert nginx.config["ExposedPorts"] == {"80/tcp": {}}
    assert any(line.startswith("PATH=") for line in gcc.config["Env"])


def test_the_package_databases_name_only_files_that_exist():
    fs = view("skillfir/alpine:gcc")
    from builder.world.supplies.packages.installed import read_apk

    installed = read_apk(fs.read_bytes("/lib/apk/db/installed").decode())

    assert {"gcc", "make", "musl", "busybox"} <= {one.name for one in installed}
    assert [path for one in installed for path in one.files if not _is_there(fs, path)] == []


def _is_there(fs, path):
    try:
        fs.lstat(path)
    except FileNotFoundError:
        return False
    return True


def test_the_c_library_of_the_images_defines_what_the_simulation_can_run():
    listed = read_text(Path(description.__file__).parent, "libc.abilist").split()

    assert listed == sorted({*LIBC, *HTTP})
