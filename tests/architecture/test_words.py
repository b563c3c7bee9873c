"""What no file may say: where it was written, and what only one example is called."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE = re.compile(
    rb"/wor[k]/(?:main|shared|\.)|\bCE[O]\b|\bissue #?[0-9]|\bfar[m]-|/tmp/bas[h]_jobs",
    re.IGNORECASE,
)
"""Paths of one machine and words of a workplace; the brackets keep this line from finding itself."""

EXAMPLE = re.compile(rb"nginx-1\.[0-9]|/app/nginx")


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("tools: needs a git checkout")
    paths = (ROOT / name.decode() for name in listed.stdout.split(b"\0") if name)
    # Compressed bytes hold any three letters by chance.
    return [path for path in paths if path.is_file() and path.suffix != ".xz"]


def test_no_file_says_where_or_for_whom_it_was_written() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {words[0].decode()}"
        for path in tracked()
        if (words := PRIVATE.search(path.read_bytes()))
    }

    assert found == set()


def test_the_builder_knows_nothing_of_the_example() -> None:
    named = {path for path in (ROOT / "builder").rglob("*.py") if EXAMPLE.search(path.read_bytes())}

    assert named == set()
