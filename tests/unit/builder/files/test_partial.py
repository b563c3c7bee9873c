"""Files and directories that are whole or not there, also when their writer is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from builder.errors import StoreError
from builder.files.partial import replacing, replacing_directory

KILLED = """
import os, signal, sys
from builder.files.partial import replacing, replacing_directory
make = replacing if sys.argv[1] == "file" else replacing_directory
with make(sys.argv[2]) as made:
    print(os.listdir(os.path.dirname(sys.argv[2])), flush=True)
    if sys.argv[3] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def killed(kind: str, path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, kind, path, "die"], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_a_killed_writer_left_is_swept_by_the_next_one(tmp_path: Path, kind: str) -> None:
    killed(kind, tmp_path / "out")
    assert len(os.listdir(tmp_path)) == 1

    with replacing(str(tmp_path / "other")) as stream:
        stream.write(b"x")

    assert os.listdir(tmp_path) == ["other"]


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_somebody_still_writes_is_left_alone(tmp_path: Path, kind: str) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED, kind, tmp_path / "slow", "live"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer.stdout, writer.stdin:
        writer.stdout.readline()
        with replacing_directory(str(tmp_path / "other")) as directory:
            Path(directory, "f").write_text("x")
    assert writer.wait(30) == 0

    assert sorted(os.listdir(tmp_path)) == ["other", "slow"]


@pytest.mark.parametrize("name", [".layerlab-notes", ".layerlab-abcdefgh", "layerlab-abcdefgh.partial"])
def test_files_that_only_look_alike_are_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")

    with replacing(str(tmp_path / "out")) as stream:
        stream.write(b"x")

    assert (tmp_path / name).read_text() == "mine"


def test_a_symlink_that_looks_like_ours_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / ".layerlab-abcdefgh.partial").symlink_to(tmp_path / "precious")

    with replacing(str(tmp_path / "out")) as stream:
        stream.write(b"x")

    assert (tmp_path / "precious").is_dir()


def test_a_writer_that_fails_leaves_nothing_and_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")

    with pytest.raises(ValueError, match="no"), replacing(str(tmp_path / "out")):
        raise ValueError("no")

    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out").read_text() == "old"


def test_where_nothing_can_be_written_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot write"), replacing(str(tmp_path / "absent" / "out")):
        pass
