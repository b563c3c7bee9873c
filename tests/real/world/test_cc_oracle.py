"""Programs of the simulated compiler against gcc: equal output and status."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools("gcc")

HERE = Path(__file__).parent
SOURCES = {path.stem: path.read_text() for path in sorted((HERE / "c").glob("*.c"))}
BROKEN = {path.stem: path.read_text() for path in sorted((HERE / "c_broken").glob("*.c"))}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Every source compiled by gcc, in one directory."""
    directory = tmp_path_factory.mktemp("gcc")
    for name, source in SOURCES.items():
        path = directory / f"{name}.c"
        path.write_text(source)
        done = subprocess.run(
            ["gcc", "-w", path, "-o", path.with_suffix("")], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.parametrize("name", SOURCES)
def test_programs_do_what_they_do_when_gcc_compiles_them(machine, compiled, name):
    here = machine("gcc:12")
    here.fs.write_bytes("/tmp/t.c", SOURCES[name].encode())

    real = subprocess.run(
        [compiled / name, "one", "two three"],
        cwd=compiled,
        input=b"a\nb\n",
        capture_output=True,
        env={"NAME": "value", "PATH": "/bin"},
        check=False,
    )
    status, output = here.run("gcc -w t.c -o t", cwd="/tmp")
    assert (status, output) == (0, "")
    status, output = here.run("printf 'a\\nb\\n' | NAME=value ./t one 'two three' 2>err", cwd="/tmp")

    expected = real.returncode if real.returncode >= 0 else 128 - real.returncode
    assert (status, output) == (expected, real.stdout.decode())
    if real.returncode >= 0:
        assert here.fs.read_bytes("/tmp/err") == real.stderr


@pytest.mark.parametrize("name", BROKEN)
def test_what_gcc_refuses_is_refused_in_the_same_words(machine, tmp_path, name):
    here = machine("gcc:12")
    (tmp_path / "t.c").write_text(BROKEN[name])
    here.fs.write_bytes("/tmp/t.c", BROKEN[name].encode())

    real = subprocess.run(
        ["gcc", "t.c"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
        check=False,
    )
    status, output = here.run("gcc t.c", cwd="/tmp")

    assert status == real.returncode == 1
    shown = next(
        line for line in real.stderr.splitlines() if "error: " in line or "undefined reference" in line
    )
    reason = shown.partition("error: ")[2] or shown.partition("undefined")[2]
    assert reason.partition(" [")[0].partition(";")[0] in output
    if "error: " in shown and shown.startswith("t.c:"):
        assert ":".join(shown.split(":")[:2]) + ":" in output
