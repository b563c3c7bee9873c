"""Root, a user with subordinate ids and a user without: each builds and runs, with an id of its own kind.

The plain users are processes with such a uid that run the system's python3 with a wheel of this project. Who
they are is said by files that a mount namespace puts over /etc/passwd, /etc/subuid and /etc/subgid: nothing
of the machine is changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from builder.stores.layout import LayoutStore

pytestmark = [
    pytest.mark.rootless,
    pytest.mark.tools("busybox", "unshare", "setpriv", "newuidmap"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become each of the three callers"),
]

ROOT = Path(__file__).parents[3]
PYTHON = "/usr/bin/python3"
UID = 42_424

DOCKERFILE = """
FROM base AS one
RUN id -u && mkdir -m 777 /made && echo f > /made/f && chown 33:44 /made/f && chmod 4755 /made/f
COPY --chown=5:6 given /made/given
USER web
RUN id -u > /made/who
FROM base
COPY --from=one /made /made
COPY --from=one /srv /srv
CMD ["cat", "/made/who"]
"""


@dataclass
class Caller:
    """Someone who types commands, below ``place``."""

    kind: str
    place: Path

    def layerlab(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [PYTHON, "-m", "course", "--state", str(self.place / "state"), *words]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.place / "lib"), "HOME": str(self.place)}
        if self.kind != "root":
            command = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *command]
        files = ("passwd", "subuid", "subgid")
        binds = "; ".join(f"mount --bind {self.place}/etc/{name} /etc/{name}" for name in files)
        script = f'{binds}; exec "$@"'
        return subprocess.run(
            ["unshare", "-m", "sh", "-ec", script, "sh", *command],
            capture_output=True,
            text=True,
            check=False,
            env=env,
            cwd="/",
            timeout=120,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture(scope="module")
def library() -> Iterator[Path]:
    """A folder that everybody can read, with the project's wheel and what it needs."""
    if not os.access(PYTHON, os.X_OK):
        pytest.skip(f"needs {PYTHON}")
    with tempfile.TemporaryDirectory(prefix="layerlab-callers-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        wheels = place / "wheels"
        build = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            wheels,
            ROOT,
        ]
        subprocess.run(build, check=True, capture_output=True)
        (wheel,) = wheels.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place / "lib")
        import click

        shutil.copytree(Path(click.__file__).parent, place / "lib" / "click")
        yield place


@pytest.fixture(params=["root", "range", "single"])
def caller(request: pytest.FixtureRequest, library: Path) -> Iterator[Caller]:
    place = Path(tempfile.mkdtemp(prefix=f"layerlab-{request.param}-", dir="/tmp"))
    place.chmod(0o755)
    (place / "lib").symlink_to(library / "lib")
    (place / "etc").mkdir()
    (place / "etc/passwd").write_text(f"root:x:0:0::/root:/bin/sh\neve:x:{UID}:{UID}::{place}:/bin/sh\n")
    line = "eve:500000:65536\n" if request.param == "range" else ""
    (place / "etc/subuid").write_text(line)
    (place / "etc/subgid").write_text(line)
    with LayoutStore(str(place / "layout")) as store:
        request.getfixturevalue("add_image")(store, "any:base")
    (place / "context").mkdir()
    (place / "context/Dockerfile").write_text(DOCKERFILE)
    (place / "context/given").write_text("given\n")
    subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
    if request.param != "root":
        os.chown(place, UID, UID)
    yield Caller(request.param, place)
    shutil.rmtree(place)


def build(
    caller: Caller, *more: str, way: tuple[str, ...] = ("rootless",)
) -> subprocess.CompletedProcess[str]:
    named = f"base=oci-layout://{caller.place}/layout:base"
    words = ("build", "--strategy", *way, "--build-context", named, "-t", "web", *more)
    return caller.layerlab(*words, f"{caller.place}/context")


def owners(caller: Caller, way: tuple[str, ...] = ("rootless",)) -> dict[str, tuple[int, int, int]]:
    """Mode, uid and gid of every file of the image's layers."""
    archive = caller.place / "image.tar"
    done = build(caller, "-q", "-o", f"type=oci,dest={archive}", way=way)
    assert done.returncode == 0, done.stderr
    found = {}
    with tarfile.open(archive) as whole:
        for member in whole:
            blob: Any = whole.extractfile(member)
            if blob is None or not member.name.startswith("blobs/"):
                continue
            try:
                with tarfile.open(fileobj=blob) as layer:
                    found |= {each.name: (each.mode, each.uid, each.gid) for each in layer}
            except tarfile.ReadError:
                continue
    return found


def test_each_caller_builds_and_runs_and_nothing_is_left(caller: Caller) -> None:
    found = json.loads(caller.layerlab("doctor", "--json").stdout)
    kinds = {"root": "root", "range": "a user with subordinate ids", "single": "a user with one id"}
    assert found["caller"] == kinds[caller.kind]
    assert found["strategies"]["rootless"] is None

    done = build(caller)

    assert done.returncode == 0, done.stderr
    ran = caller.layerlab("run", "--strategy", "rootless", "web")
    assert (ran.returncode, ran.stdout) == (0, "0\n" if caller.kind == "single" else "33\n"), ran.stderr
    assert not list(caller.place.glob("state/trees/*/sessions/*"))
    assert not [line for line in processes() if str(caller.place) in line]


def processes() -> list[str]:
    return subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


def test_owners_are_exact_but_for_those_that_one_id_cannot_make(caller: Caller) -> None:
    found = owners(caller)

    made = (0o4755, 0, 0) if caller.kind == "single" else (0o4755, 33, 44)
    assert found["made/f"] == made
    assert found["made/given"] == (0o644, 5, 6)
    assert found["srv/web/page"] == (0o640, 33, 44)
    assert found["srv/web/link"][1:] == (33, 44)


def test_each_caller_builds_in_one_root_with_the_same_owners_and_can_remove_it(caller: Caller) -> None:
    root = caller.place / "root"

    found = owners(caller, way=("kaniko-style", "--root", str(root)))

    made = (0o4755, 0, 0) if caller.kind == "single" else (0o4755, 33, 44)
    assert (found["made/f"], found["made/given"]) == (made, (0o644, 5, 6))
    assert found["srv/web/page"] == (0o640, 33, 44)
    assert found["srv/web/link"][1:] == (33, 44)
    assert os.listdir(root) == ["kaniko"]
    removing = ["setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups"]
    subprocess.run([*(removing if caller.kind != "root" else ()), "rm", "-r", str(root)], check=True)


def test_only_who_has_one_id_is_told_so_once_with_what_would_give_more(caller: Caller) -> None:
    said = build(caller).stderr

    assert said.count("warning: there is one user id") == (1 if caller.kind == "single" else 0)
    assert ("usermod --add-subuids" in said) == (caller.kind == "single")


def test_what_a_command_made_can_be_removed_by_who_asked_for_it(caller: Caller) -> None:
    (caller.place / "context/Dockerfile").write_text(
        "FROM base\nRUN mkdir -p /a/b && echo > /a/b/c && chown -R 33:44 /a && chmod 0 /a /a/b\nRUN exit 3\n"
    )

    done = build(caller)

    assert done.returncode == 1
    assert "exit status 3" in done.stderr
    assert not list(caller.place.glob("state/trees/*/sessions/*"))


def test_who_wants_exact_owners_is_refused_where_they_cannot_be_had(caller: Caller) -> None:
    done = build(caller, "--strict-owner")

    assert done.returncode == (1 if caller.kind == "single" else 0), done.stderr
    assert ("there is one user id for this build" in done.stderr) == (caller.kind == "single")
    assert ("usermod --add-subuids" in done.stderr) == (caller.kind == "single")
    assert "Traceback" not in done.stderr
    assert not list(caller.place.glob("state/trees/*/sessions/*"))
