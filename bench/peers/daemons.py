"""buildah and dockerd as peers on the way to a registry and back, each with a store of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Peer:
    """A builder that can push and pull. ``load``: takes an archive of ``docker save``.

    ``processors``: seconds that its daemon used until now; 0 where there is none.
    """

    name: str
    load: Callable[[Path], None]
    push: Callable[[str, str], None]
    pull: Callable[[str], None]
    processors: Callable[[], float] = lambda: 0.0


def _run(*argv: object) -> None:
    subprocess.run(
        list(map(str, argv)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    )


@contextmanager
def buildah(place: Path) -> Iterator[Peer | None]:
    """Buildah with its storage below ``place``; None where it is not installed, or the user is not root."""
    if shutil.which("buildah") is None or os.geteuid() != 0:
        yield None
        return
    words = ("buildah", "--root", place / "root", "--runroot", place / "run", "--storage-driver", "overlay")

    try:
        yield Peer(
            "buildah",
            lambda archive: _run(*words, "pull", f"docker-archive:{archive}"),
            lambda image, target: _run(*words, "push", "--tls-verify=false", image, f"docker://{target}"),
            lambda source: _run(*words, "pull", "--tls-verify=false", f"docker://{source}"),
        )
    finally:
        subprocess.run(["umount", "-q", place / "root/overlay"], check=False)


@contextmanager
def dockerd(place: Path) -> Iterator[Peer | None]:
    """A dockerd on a socket below ``place``; None where it is not installed, or the user is not root."""
    if shutil.which("dockerd") is None or shutil.which("docker") is None or os.geteuid() != 0:
        yield None
        return
    place.mkdir(parents=True)
    socket = f"unix://{place}/socket"
    words = ["dockerd", "--bridge=none", "--iptables=false", f"--host={socket}", f"--pidfile={place}/pid"]
    words += [f"--data-root={place}/data", f"--exec-root={place}/exec"]
    daemon = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = ("docker", "--host", socket)

    def push(image: str, target: str) -> None:
        _run(*client, "tag", image, target)
        _run(*client, "push", target)

    try:
        for _ in range(300):
            if subprocess.run([*client, "version"], capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.1)
        yield Peer(
            "docker",
            lambda archive: _run(*client, "load", "-i", archive),
            push,
            lambda source: _run(*client, "pull", source),
            lambda: _used(daemon.pid),
        )
    finally:
        daemon.terminate()
        daemon.wait()


def _used(pid: int) -> float:
    """Seconds of processors that a process and its living children have used (proc(5), stat, 14 to 17)."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid in (int(path.parent.name), int(fields[1])):
            total += sum(map(int, fields[11:15])) / _TICKS
    return total
