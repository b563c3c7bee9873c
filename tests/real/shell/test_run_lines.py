"""RUN lines as they stand in Dockerfiles: busybox in a root of its own, and the simulation, do the same.

``run_lines.txt`` has one line each; a line that holds ``<<`` goes on to the end of its here-document.
The real side runs in a changed root with its own mounts, processes and network: nothing outside it can be
reached.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import subprocess
import tarfile
from collections import ChainMap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from builder.protocols import Command, run
from builder.runners.simulated import SimulatedRunner
from builder.world.machine.process import Program
from builder.world.programs import PROGRAMS
from builder.world.shell import SHELLS
from builder.world.supplies.internet import NO_INTERNET
from builder.world.utilities import UTILITIES
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer

pytestmark = [
    pytest.mark.tools("busybox", "unshare"),
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root to change the root"),
]

ENV = {"PATH": "/usr/local/bin:/bin", "HOME": "/root"}
FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/app:/bin/sh\n",
    "etc/group": "root:x:0:\napp:x:1000:\n",
    "etc/shadow": "root:*:19000:0:99999:7:::\napp:!:19000:0:99999:7:::\n",
    "etc/profile.d/empty.sh": "",
    "ctx/settings.ini": "#name=demo\nname=demo\ndrop this\nmode=fast\nmode=fast\n",
    "ctx/src/main.c": "int main(void) { return 0; }\n",
    "ctx/src/util.c": "int util;\n",
    "ctx/src/util.h": "extern int util;\n",
    "ctx/src/VERSION": "1.4\n",
    "var/lib/apt/lists/x": "",
    "tmp/old": "",
}
DIRECTORIES = ("app", "root", "opt", "srv", "usr/local/bin", "home", "var/tmp", "proc")

Entry = tuple[str, int, int, "bytes | str | None"]
Tree = dict[str, Entry]


def scripts() -> Iterator[str]:
    """The scripts of run_lines.txt."""
    lines = iter((Path(__file__).parent / "run_lines.txt").read_text().splitlines())
    for line in lines:
        script = line
        document = re.search(r"<<'?(\w+)'?", line)
        while document and script.rpartition("\n")[2] != document[1]:
            script += "\n" + next(lines)
        yield script


def archive() -> bytes:
    """A small release: what /ctx/app.tar.gz is on both sides."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in (
            ("app/VERSION", b"2.0\n"),
            ("app/bin/run", b"#!/bin/sh\n"),
            ("app/doc/README", b"r\n"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if "bin" in name else 0o644
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = archive()


def described(mode: int, uid: int, gid: int, body: bytes | str | None) -> Entry:
    """An entry of a tree; a compressed file's bytes depend on who compressed it, so they are left out."""
    hidden = isinstance(body, bytes) and body[:2] == b"\x1f\x8b"
    return oct(mode), uid, gid, b"gzip" if hidden else body


def is_compared(path: str) -> bool:
    """Whether a path counts: not busybox and its names, the devices, nor the dates in /etc/shadow."""
    return not re.match(r"bin(/|$)|dev(/|$)|proc(/|$)|etc/shadow|etc/(passwd|group)-$", path)


@pytest.fixture(scope="module")
def real_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with busybox, to be copied for each script."""
    root = tmp_path_factory.mktemp("root")
    (root / "bin").mkdir()
    shutil.copy(shutil.which("busybox") or "", root / "bin/busybox")
    listed = subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout
    for name in set(listed.split()) - {"busybox"}:
        (root / "bin" / name).symlink_to("busybox")
    for directory in (*DIRECTORIES, "dev", *(os.path.dirname(name) for name in FILES)):
        (root / directory).mkdir(parents=True, exist_ok=True)
    for name, content in FILES.items():
        (root / name).write_text(content)
    (root / "ctx/app.tar.gz").write_bytes(ARCHIVE)
    (root / "tmp").chmod(0o1777)
    for name, minor in (("null", 3), ("zero", 5)):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, minor))
        (root / "dev" / name).chmod(0o666)
    (root / "dev/stdout").symlink_to("/proc/self/fd/1")
    return root


def real_tree(root: Path) -> Tree:
    """What is in a real root."""
    found: Tree = {}
    for directory, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = Path(directory, name)
            status = path.lstat()
            link, plain = stat.S_ISLNK(status.st_mode), stat.S_ISREG(status.st_mode)
            body = os.readlink(path) if link else path.read_bytes() if plain else None
            found[str(path.relative_to(root))] = described(status.st_mode, status.st_uid, status.st_gid, body)
    return {path: entry for path, entry in found.items() if is_compared(path)}


def run_real(pristine: Path, work: Path, script: str) -> tuple[bytes, int, Tree]:
    """What busybox's sh does in a root of its own."""
    root = work / "root"
    subprocess.run(["cp", "-a", str(pristine), str(root)], check=True)
    enter = 'mount -t proc proc "$0/proc" && cd "$0" && exec chroot . /bin/sh -c "$1"'
    apart = ["unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", enter, str(root), script]
    variables = ENV | {"PATH": f"{ENV['PATH']}:/usr/sbin:/usr/bin:/sbin"}
    done = subprocess.run(apart, capture_output=True, env=variables, timeout=20, check=False, umask=0o022)
    try:
        return done.stdout, done.returncode, real_tree(root)
    finally:
        shutil.rmtree(root)


def simulated_tree(fs: Layer) -> Tree:
    """What is in a simulated root."""
    found: Tree = {}
    for directory, directories, names in fs.walk("/"):
        for name in (*directories, *names):
            path = f"{directory.rstrip('/')}/{name}"
            status = fs.lstat(path)
            link, plain = stat.S_ISLNK(status.st_mode), stat.S_ISREG(status.st_mode)
            body = fs.readlink(path) if link else fs.read_bytes(path) if plain else None
            found[path[1:]] = described(status.st_mode, status.st_uid, status.st_gid, body)
    return {path: entry for path, entry in found.items() if is_compared(path)}


def run_simulated(script: str) -> tuple[bytes, int, Tree, bytes]:
    """What the simulation does; last, what it printed on descriptor 2."""
    literal: dict[str, Any] = {f"/{name}": Dir() for name in DIRECTORIES}
    literal |= {f"/{name}": content for name, content in FILES.items()}
    literal |= {"/ctx/app.tar.gz": ARCHIVE, "/bin/busybox": File(b"\x7fSIM busybox\n", mode=0o755)}
    literal |= {f"/bin/{name}": Symlink("busybox") for name in (*UTILITIES, "sh")}
    fs: Layer = layer(literal)
    fs.chmod("/tmp", 0o1777)
    programs: Mapping[str, Program] = ChainMap(dict(SHELLS), PROGRAMS, UTILITIES)  # type: ignore[arg-type]
    printed: list[bytes] = []
    wrapped = ("/bin/sh", "-c", 'exec 2>/.said; exec sh -c "$1"', "sh", script)
    env = ENV | {"PATH": f"{ENV['PATH']}:/usr/sbin:/usr/bin:/sbin"}
    runner = SimulatedRunner(programs, NO_INTERNET)
    status = run(runner, fs, Command(argv=wrapped, env=env), output=printed.append)
    said = fs.read_bytes("/.said")
    fs.unlink("/.said")
    return b"".join(printed), status.status, simulated_tree(fs), said


@pytest.mark.parametrize("script", list(scripts()))
def test_a_run_line_does_the_same_as_in_busybox(script: str, real_root: Path, tmp_path: Path) -> None:
    stdout, status, tree = run_real(real_root, tmp_path, script)
    simulated_stdout, simulated_status, found, said = run_simulated(script)

    assert (simulated_stdout, simulated_status) == (stdout, status), said
    assert found == tree
