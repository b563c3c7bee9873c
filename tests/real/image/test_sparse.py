"""Sparse entries against GNU tar, which wrote them, in each of its formats."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from unionfs_sim.tar.unpack import read_layer

FORMATS = {
    "old GNU": ["--format=gnu"],
    "0.0": ["--format=pax", "--sparse-version=0.0"],
    "0.1": ["--format=pax", "--sparse-version=0.1"],
    "1.0": ["--format=pax", "--sparse-version=1.0"],
}


@pytest.mark.tools
@pytest.mark.parametrize("pieces", [0, 1, 3, 60])
@pytest.mark.parametrize("flags", FORMATS.values(), ids=FORMATS)
def test_a_sparse_file_is_read_as_gnu_tar_found_it(tmp_path: Path, flags: list[str], pieces: int) -> None:
    chosen = random.Random(pieces)
    (tmp_path / "tree").mkdir()
    place = tmp_path / "tree" / ("n" * 120)
    with place.open("wb") as file:
        for number in range(pieces):
            file.seek(number * 65_536 + chosen.randrange(20_000))
            file.write(chosen.randbytes(chosen.randrange(1, 20_000)))
        file.truncate(pieces * 65_536 + 12_345)
    (tmp_path / "tree" / "plain").write_bytes(b"after it")
    command = ["tar", "--sparse", *flags, "-C", str(tmp_path / "tree"), "-cf", str(tmp_path / "t.tar"), "."]
    subprocess.run(command, check=True)

    with (tmp_path / "t.tar").open("rb") as stream:
        read = read_layer(stream)

    assert read.read_bytes(f"/{place.name}") == place.read_bytes()
    assert read.read_bytes("/plain") == b"after it"
    assert read.lstat(f"/{place.name}").st_blocks < place.stat().st_size // 512 or pieces == 0
