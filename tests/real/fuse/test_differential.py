"""The same random calls on the kernel's overlayfs and on a FUSE mount of the model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.fuse, pytest.mark.kernel]

FUZZ = Path(__file__).with_name("fuse_fuzz.py")


def test_a_sample_of_random_calls_through_the_mount_gives_what_overlayfs_gives() -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--seed", "3", "--ops", "3000"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
