"""Our daemon beside dockerd, asked by the same requests on a raw socket: no client's start is measured.

    python bench/daemon.py [--images N] [--json]

Promises: a build of 20 COPY steps, not cached, and one that is known take no longer than dockerd's classic
builder does; a list of N = 100 images, and 32 clients that ask for it at once, at most ten times as long
(dockerd is compiled, and keeps its list in memory). dockerd needs root; without it, its column is left out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

STEPS = 20
CLIENTS = 32
ASKED = 10
ROUNDS = 5
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Daemon:
    """A daemon under measurement."""

    name: str
    path: Path

    def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        """The whole answer, head and body, to one request on a connection of its own."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(str(self.path))
            head = f"{method} {target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n"
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = whole(connection)
        if not answer.startswith(b"HTTP/1.1 2") or b'"errorDetail"' in answer:
            raise SystemExit(f"{self.name}: {method} {target}: {answer[-300:].decode()}")
        return answer


def whole(connection: socket.socket) -> bytes:
    """All that comes. dockerd does not read the padding behind a context, and so resets the connection."""
    answer = b""
    while True:
        try:
            piece = connection.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return answer
        answer += piece


@contextmanager
def ours(place: Path, strategy: str) -> Iterator[Daemon]:
    """Our daemon."""
    path = place / f"{strategy}.sock"
    words = ["--state", place / strategy, "daemon", "--socket", path, "--strategy", strategy]
    with running([sys.executable, "-m", "course", *map(str, words)], place / f"{strategy}.log"):
        yield ready(Daemon(strategy, path), place / f"{strategy}.log")


@contextmanager
def dockerd(place: Path) -> Iterator[Daemon]:
    """Docker's daemon."""
    words = [f"--data-root={place}/data", f"--exec-root={place}/exec", f"--pidfile={place}/pid"]
    line = ["dockerd", "--bridge=none", "--iptables=false", f"--host=unix://{place}/dockerd.sock", *words]
    with running(line, place / "dockerd.log"):
        yield ready(Daemon("dockerd", place / "dockerd.sock"), place / "dockerd.log")


@contextmanager
def running(line: list[str], log: Path) -> Iterator[None]:
    """A process, for as long as the block lasts."""
    with log.open("wb") as said:
        child = subprocess.Popen(line, stdout=said, stderr=said)
    try:
        yield
    finally:
        child.terminate()
        child.wait()


def ready(daemon: Daemon, log: Path) -> Daemon:
    """The same daemon, once it answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            daemon.ask("GET", "/_ping")
            return daemon
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit(f"{daemon.name} does not answer: {log.read_text()[-500:]}") from None
            time.sleep(0.1)


def context() -> bytes:
    """A Dockerfile of 20 COPY steps, and what they copy: 64 KiB each."""
    files = {f"f{number}": os.urandom(1 << 16) for number in range(STEPS)}
    text = "FROM scratch\n" + "".join(f"COPY {name} /d/{name}\n" for name in files)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in {"Dockerfile": text.encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def median(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The median of some rounds, in seconds."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def crowd(daemon: Daemon) -> None:
    """32 clients that ask for the list ten times each, at once; every answer must be whole."""
    counts: list[int] = []

    def client() -> None:
        for _ in range(ASKED):
            counts.append(daemon.ask("GET", "/v1.41/images/json").count(b'"RepoTags"'))

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(counts) != CLIENTS * ASKED or len(set(counts)) != 1:
        raise SystemExit(f"{daemon.name}: answers differ: {len(counts)} answers, {set(counts)}")


def measured(daemon: Daemon, sent: bytes, images: int) -> dict[str, float]:
    """Seconds, by what was done."""
    build = "/v1.41/build?version=1&t=bench"
    found = {
        f"build, {STEPS} COPY steps": median(lambda: daemon.ask("POST", f"{build}&nocache=1", sent), 3),
        "the same build, known": median(lambda: daemon.ask("POST", build, sent)),
    }
    for number in range(images):
        text = f"FROM scratch\nLABEL number={number}\nCOPY f /f\n"
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            for name, content in {"Dockerfile": text.encode(), "f": b"x"}.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        daemon.ask("POST", f"/v1.41/build?version=1&t=many:{number}", made.getvalue())
    found[f"list of {images} images"] = median(lambda: daemon.ask("GET", "/v1.41/images/json"), 20)
    found[f"{CLIENTS} clients, {ASKED} lists each"] = median(lambda: crowd(daemon), 3)
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    sent = context()
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        daemons = [
            stack.enter_context(ours(place, "simulated")),
            stack.enter_context(ours(place, "rootless")),
        ]
        if shutil.which("dockerd") and os.geteuid() == 0:
            daemons.append(stack.enter_context(dockerd(place)))
        found = {daemon.name: measured(daemon, sent, chosen.images) for daemon in daemons}
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    peer = found.get("dockerd")
    for what in found["simulated"]:
        cells = []
        for name, seconds in found.items():
            ratio = "" if peer is None or name == "dockerd" else f" ({seconds[what] / peer[what]:.2f} x)"
            cells.append(f"{name} {seconds[what] * 1000:8.1f} ms{ratio}")
        print(f"{what:28} {'   '.join(cells)}")


if __name__ == "__main__":
    main()
