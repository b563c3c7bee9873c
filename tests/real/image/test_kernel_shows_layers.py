"""Layers that were read from tars, written to disk in the kernel's spelling and mounted by the kernel."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from unionfs_sim import Layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack, read_layer

pytestmark = pytest.mark.kernel

SHOW = """
import subprocess, sys
from unionfs_sim.tar.pack import pack, read_layer
from unionfs_sim.host.layer import read_directory, write_directory
import os
subprocess.run(["mount", "-t", "tmpfs", "t", "/mnt"], check=True)
for name in ("l0", "l1", "l2", "u", "w", "m"):
    os.mkdir("/mnt/" + name)
for number, path in enumerate(sys.argv[2:]):
    with open(path, "rb") as stream:
        write_directory(read_layer(stream), f"/mnt/l{number}")
lowers = ":".join(f"/mnt/l{number}" for number in reversed(range(len(sys.argv) - 2)))
options = f"lowerdir={lowers},upperdir=/mnt/u,workdir=/mnt/w"
subprocess.run(["mount", "-t", "overlay", "o", "-o", options, "/mnt/m"], check=True)
with open(sys.argv[1], "wb") as out:
    out.writelines(pack(read_directory("/mnt/m"), latest_ns=0))
"""


def tar(*names: str, **contents: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            member = tarfile.TarInfo(name.rstrip("/"))
            member.mode = 0o644
            if name.endswith("/"):
                member.type, member.mode = tarfile.DIRTYPE, 0o755
            content = contents.get(member.name, b"")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return out.getvalue()


def kernel_view(tmp_path: Path, layers: list[Layer]) -> Layer:
    paths = []
    for number, each in enumerate(layers):
        paths.append(tmp_path / f"{number}.tar")
        # Packed raw, so that the other process reads what this one did.
        paths[-1].write_bytes(b"".join(pack(each)))
    command = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        sys.executable,
        "-c",
        SHOW,
        tmp_path / "seen",
        *paths,
    ]
    subprocess.run(command, check=True)
    with open(tmp_path / "seen", "rb") as stream:
        return read_layer(stream)


@pytest.mark.parametrize(
    "tars",
    [
        [tar("a", "d/", "d/x", "d/y"), tar(".wh.a", "d/", "d/.wh.x", "d/z")],
        [tar("d/", "d/x"), tar("d/", "d/.wh..wh..opq", "d/new")],
        [tar("d/", "d/x"), tar("d/", "d/new", "d/.wh..wh..opq")],
        [tar("d/", "d/x"), tar(".wh.d", "d/", "d/new")],
        [tar("d/", "d/x"), tar("d"), tar("d/", "d/z")],
        [tar("x", "y"), tar(".wh..wh..opq", "z")],
        [tar("a/", "a/b/", "a/b/c"), tar("a/.wh.b"), tar("a/b/", "a/b/d")],
        [tar("a", a=b"1"), tar(".wh.a"), tar("a", a=b"3")],
    ],
)
def test_the_kernel_shows_what_the_merge_holds(tmp_path: Path, tars: list[bytes]) -> None:
    layers: list[Layer] = []
    for each in tars:
        layers.append(read_layer(io.BytesIO(each), below=merged(layers)))

    assert kernel_view(tmp_path, layers) == merged(layers)
