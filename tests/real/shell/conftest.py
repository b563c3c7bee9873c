"""Runs the same script in dash and in the simulation, each in an empty directory, and compares.

Compared are descriptor 1, the exit status and the tree afterwards. Commands other than builtins are busybox's
on one side and the simulated utilities on the other.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections import ChainMap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.world.shell import SHELLS
from builder.world.utilities import UTILITIES
from builder.world.world import Job, World
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer

APPLETS = [
    *(
        "cat",
        "cut",
        "echo",
        "env",
        "false",
        "find",
        "grep",
        "head",
        "id",
        "ln",
        "ls",
        "mkdir",
        "mv",
        "rm",
        "rmdir",
    ),
    *("sed", "seq", "sleep", "sort", "tail", "tee", "touch", "tr", "true", "uniq", "wc", "xargs"),
]


@dataclass(frozen=True)
class Outcome:
    """What a script did. ``tree``: path → (mode, content or target)."""

    stdout: bytes
    status: int
    tree: dict[str, tuple[str, bytes | str | None]]
    stderr: bytes


def _real_tree(top: Path) -> dict[str, tuple[str, bytes | str | None]]:
    found: dict[str, tuple[str, bytes | str | None]] = {}
    for path in sorted(top.rglob("*")):
        mode = path.lstat().st_mode
        body = os.readlink(path) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else None
        found[str(path.relative_to(top))] = (oct(mode), body)
    return found


def _simulated_tree(fs: Layer, top: str) -> dict[str, tuple[str, bytes | str | None]]:
    found: dict[str, tuple[str, bytes | str | None]] = {}
    for directory, directories, others in fs.walk(top):
        for name in (*directories, *others):
            path = f"{directory}/{name}"
            mode = fs.lstat(path).st_mode
            link, plain = stat.S_ISLNK(mode), stat.S_ISREG(mode)
            body = fs.readlink(path) if link else fs.read_bytes(path) if plain else None
            found[path[len(top) + 1 :]] = (oct(mode), body)
    return found


class Both:
    """dash and the simulation. ``applets``: a directory with busybox under its many names."""

    def __init__(self, applets: Path, work: Path) -> None:
        self._applets = applets
        self._work = work

    def real(self, script: str, stdin: bytes) -> Outcome:
        """What dash does."""
        work = self._work / "w"
        work.mkdir()
        env = {"PATH": str(self._applets), "HOME": "/root"}
        try:
            done = subprocess.run(
                ["dash", "-c", script],
                cwd=work,
                input=stdin,
                capture_output=True,
                env=env,
                executable=shutil.which("dash"),
                timeout=20,
                check=False,
                umask=0o022,
            )
            status = done.returncode if done.returncode >= 0 else 128 - done.returncode
            place = str(work).encode()
            return Outcome(done.stdout.replace(place, b"/w"), status, _real_tree(work), done.stderr)
        finally:
            shutil.rmtree(work)

    def simulated(self, script: str, stdin: bytes) -> Outcome:
        """What the simulation does."""
        literal: dict[str, Any] = {
            "/bin/dash": File(b"\x7fSIM dash\n", mode=0o755),
            "/bin/sh": Symlink("dash"),
            "/tmp": Dir(mode=0o1777),
            "/w": Dir(),
            "/root": Dir(mode=0o700),
        }
        literal |= {f"/bin/{name}": File(f"\x7fSIM {name}\n".encode(), mode=0o755) for name in APPLETS}
        fs = layer(literal)
        printed: list[bytes] = []
        world = World(ChainMap(dict(SHELLS), UTILITIES))  # type: ignore[arg-type]
        # Descriptor 2 is kept apart by a file, because the sink of a run takes both.
        wrapped = Job(
            argv=("/bin/dash", "-c", 'exec 2>/tmp/stderr; exec dash -c "$1"', "dash", script),
            env={"PATH": "/bin", "HOME": "/root"},
            cwd="/w",
            stdin=stdin,
        )
        status = world.run(fs, wrapped, printed.append)
        stderr = fs.read_bytes("/tmp/stderr")
        return Outcome(b"".join(printed), status, _simulated_tree(fs, "/w"), stderr)

    def __call__(self, script: str, stdin: bytes = b"") -> tuple[Outcome, Outcome]:
        """(real, simulated)."""
        return self.real(script, stdin), self.simulated(script, stdin)


@pytest.fixture(scope="session")
def applets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory in which busybox has the names of its applets, and sh is dash."""
    directory = tmp_path_factory.mktemp("applets")
    busybox = shutil.which("busybox") or ""
    for name in APPLETS:
        (directory / name).symlink_to(busybox)
    dash = shutil.which("dash") or ""
    (directory / "sh").symlink_to(dash)
    (directory / "dash").symlink_to(dash)
    return directory


@pytest.fixture
def both(applets: Path, tmp_path: Path) -> Both:
    """Runs a script on both sides."""
    return Both(applets, tmp_path)


@pytest.fixture
def agrees(both: Both) -> Callable[..., None]:
    """Asserts that a script prints the same, ends the same and leaves the same tree on both sides."""

    def check(script: str, stdin: bytes = b"") -> None:
        real, simulated = both(script, stdin)
        about = f"{script}\n--- dash said: {real.stderr!r}\n--- simulated said: {simulated.stderr!r}"
        assert (simulated.stdout, simulated.status) == (real.stdout, real.status), about
        assert simulated.tree == real.tree, about

    return check


@pytest.fixture(scope="session")
def machine_scripts() -> Iterator[list[Path]]:
    """Every #!/bin/sh script of this machine's system directories and of its packages."""
    found: list[Path] = []
    for top in ("/usr/bin", "/usr/sbin", "/etc", "/var/lib/dpkg/info"):
        for directory, _, names in os.walk(top):
            for name in names:
                path = Path(directory, name)
                if path.is_symlink() or not path.is_file():
                    continue
                with path.open("rb") as file:
                    if file.read(12).startswith((b"#!/bin/sh", b"#! /bin/sh")):
                        found.append(path)
    yield sorted(found)
