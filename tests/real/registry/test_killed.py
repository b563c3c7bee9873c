"""Killed at any point of a pull, a push or a prune, the next command works and nothing named is missing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_served import host

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.image.validate import validate
from builder.stores.layout import LayoutStore
from builder.transport.registry.server import RegistryServer
from builder.transport.registry.shelf import Shelf
from unionfs_sim import File, layer
from unionfs_sim.tar.pack import pack

LAYERS = 3
REQUESTS = (1, 2, 3, 4, 5, 7, 9, 12)
"""The last is more than a pull or a push of the example makes: it is not killed at all."""


class Registry:
    """Our registry in this process, which kills who talks to it at a certain request."""

    def __init__(self, directory: Path) -> None:
        self.store = LayoutStore(str(directory))
        self.server = RegistryServer(Shelf(self.store), scratch=str(directory), log=self._heard)
        self.host = host(self.server)
        self._victim: subprocess.Popen[bytes] | None = None
        self._left = 0
        self._lock = threading.Lock()

    def _heard(self, line: str) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._victim is not None:
                self._victim.send_signal(signal.SIGKILL)

    def kill_at(self, request: int, *words: object, state: Path) -> None:
        """Run a command and kill it when its request of that number is answered."""
        with self._lock:
            self._left = request
            self._victim = start(*words, state=state)
        self._victim.wait()
        with self._lock:
            self._victim = None


def start(*words: object, state: Path) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "course", "--state", str(state), *map(str, words)]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def succeeds(*words: object, state: Path) -> None:
    assert start(*words, state=state).wait() == 0


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    found = Registry(tmp_path / "registry")
    thread = threading.Thread(target=found.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()
    found.store.close()


def example(state: Path, *names: str, seed: int = 1) -> Descriptor:
    """An image of layers that take a while, in the store at ``state``."""
    with LayoutStore(str(state)) as store:
        image = Image(ImageConfig(cmd=("sh",)))
        for number in range(LAYERS):
            content = random.Random(seed + number).randbytes(1_500_000)
            stored = store.put(pack(layer({f"/{number}": File(content)}), latest_ns=0))
            blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
            image = image.append(blob, History())
        store.put([image.config_bytes()])
        manifest = image.manifest()
        stored = store.put([manifest.to_bytes()])
        descriptor = Descriptor(manifest.media_type, stored.digest, stored.size)
        for name in names:
            store.tag(Reference.parse(name), descriptor)
        return descriptor


def is_whole(state: Path) -> None:
    """Every name leads to an image with which nothing is wrong, and nothing half-written lies about."""
    with LayoutStore(str(state)) as store:
        for manifest in store.tags().values():
            assert validate(store, manifest) == []
        assert os.listdir(state / "scratch") == []


@pytest.mark.parametrize("request_number", REQUESTS)
def test_a_pull_that_was_killed_is_done_again(
    registry: Registry, tmp_path: Path, request_number: int
) -> None:
    example(tmp_path / "here", "web:1")
    name = f"{registry.host}/web:1"
    succeeds("push", "web:1", name, state=tmp_path / "here")

    registry.kill_at(request_number, "pull", name, state=tmp_path / "there")

    is_whole(tmp_path / "there")
    succeeds("pull", name, state=tmp_path / "there")
    is_whole(tmp_path / "there")
    with LayoutStore(str(tmp_path / "there")) as store:
        assert list(store.tags()) == [Reference.parse(name)]


@pytest.mark.parametrize("request_number", REQUESTS)
def test_a_push_that_was_killed_is_done_again(
    registry: Registry, tmp_path: Path, request_number: int
) -> None:
    example(tmp_path / "here", "web:1")
    name = f"{registry.host}/web:1"

    registry.kill_at(request_number, "push", "web:1", name, state=tmp_path / "here")

    for manifest in registry.store.tags().values():
        assert validate(registry.store, manifest) == []
    succeeds("push", "web:1", name, state=tmp_path / "here")
    is_whole(tmp_path / "here")
    succeeds("pull", name, state=tmp_path / "there")
    is_whole(tmp_path / "there")


KILLED_AT_A_DELETION = """
import os, sys
real, left = os.unlink, int(sys.argv.pop(1))
def unlink(path, **rest):
    global left
    if "blobs" in os.fspath(path):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
    real(path, **rest)
os.unlink = unlink
from course.cli import main
main()
"""


@pytest.mark.parametrize("deletions", range(6))
def test_a_prune_that_was_killed_is_done_again(tmp_path: Path, deletions: int) -> None:
    example(tmp_path, "kept:1", seed=1)
    example(tmp_path, "gone:1", seed=100)
    with LayoutStore(str(tmp_path)) as store:
        store.untag(Reference.parse("gone:1"))
    argv = [
        sys.executable,
        "-c",
        KILLED_AT_A_DELETION,
        str(deletions),
        "--state",
        str(tmp_path),
        "image",
        "prune",
    ]

    killed = subprocess.run(argv, capture_output=True, check=False)

    assert killed.returncode == (-signal.SIGKILL if deletions < LAYERS + 2 else 0)
    is_whole(tmp_path)
    succeeds("image", "prune", state=tmp_path)
    is_whole(tmp_path)
    with LayoutStore(str(tmp_path)) as store:
        assert store.usage().inodes == LAYERS + 2
