"""The simulated make against GNU make: equal output, status and files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools("make")

CASES = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "makefiles").glob("*.mk"))}
"""Makefiles; the first line of each is a comment that holds the words of the command line."""

FILES = {
    "in1.txt": "1\n",
    "in2.txt": "2\n",
    "in3.mk": "INCLUDED = yes\n",
    "in4.mk": "X = 1\nall:\n\t@echo X is $(X)\nbad:\n\t@exit 7\n",
}


@pytest.mark.parametrize("name", CASES)
def test_make_does_what_gnu_make_does(machine, tmp_path, name):
    text = CASES[name]
    words = text.partition("\n")[0].removeprefix("# make").strip()
    here = machine("gcc:12")
    for path, content in {**FILES, "Makefile": text}.items():
        (tmp_path / path).write_text(content)
        here.fs.write_bytes(f"/tmp/{path}", content.encode())

    real = subprocess.run(
        ["make", *words.split()],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin"},
        check=False,
    )
    status, output = here.run(f"make {words} < /dev/null 2>&1", cwd="/tmp")

    expected = real.stdout.decode().replace(str(tmp_path), "/tmp")
    assert (status, output) == (real.returncode, expected)
    assert sorted(here.fs.listdir("/tmp")) == sorted(path.name for path in tmp_path.iterdir())
