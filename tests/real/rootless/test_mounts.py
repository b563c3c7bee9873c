"""Mounts of a real command beyond the laws: an ssh agent's socket, caches of two builders, nested places."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from builder.dockerfile.syntax.mount import Sharing
from builder.errors import StepFailedError
from builder.image.digest import DiffID
from builder.namespace.state import State
from builder.protocols import EMPTY, Cache, Command, HostPath, Mount, Secret, Ssh, Tmpfs
from builder.runners.rootless.runner import RootlessRunner
from builder.snapshotters.overlayfs import OverlaySnapshotter
from builder.stores.memory import MemoryStore
from unionfs_sim.layers.layer import Layer, Symlink, layer
from unionfs_sim.tar.pack import pack

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]


class Shop:
    """A snapshotter and a runner on one base."""

    def __init__(self, directory: Path, base: Layer, more: Layer | None = None) -> None:
        store = MemoryStore()
        self.state = State(str(directory))
        self.snapshotter = OverlaySnapshotter(store, self.state)
        self.runner = RootlessRunner(self.state, self.snapshotter)
        self.base = EMPTY
        for each in (base, *([more] if more is not None else [])):
            self.base = self.base.with_layer(DiffID(store.put(pack(each)).digest))

    def run(self, script: str, *mounts: Mount, **more: Any) -> str:
        printed = bytearray()
        work = self.snapshotter.prepare(self.base)
        command = Command(argv=("/bin/sh", "-c", script), mounts=mounts, **more)
        self.runner.start(work.rootfs, command, output=printed.extend).wait()
        self.left = sorted(work.rootfs.listdir("/"))
        self.snapshotter.discard(work)
        return printed.decode()


@pytest.fixture
def shop(tmp_path: Path, real_base: Layer) -> Iterator[Shop]:
    made = Shop(tmp_path / "state", real_base, layer({"/link": Symlink("/var/run"), "/var/run/kept": "k"}))
    yield made
    made.snapshotter.close()


def at(text: str) -> PurePosixPath:
    return PurePosixPath(text)


def test_the_agents_socket_leads_to_the_agent_and_is_gone_afterwards(shop: Shop, tmp_path: Path) -> None:
    if not Path("/usr/bin/python3").exists():
        pytest.skip("needs /usr/bin/python3")
    place = tmp_path / "agent"
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(place))
        agent.listen()

        def answer() -> None:
            caller, _ = agent.accept()
            with caller:
                caller.sendall(b"signed " + caller.recv(100))

        threading.Thread(target=answer, daemon=True).start()
        asking = (
            "import socket; s = socket.socket(1); s.connect('/run/agent'); s.send(b'this'); print(s.recv(99))"
        )
        machine = [HostPath(target=at(each), source=Path(each)) for each in ("/usr", "/lib", "/lib64")]
        script = f'PYTHONHOME= LD_LIBRARY_PATH= /usr/bin/python3 -S -E -c "{asking}"'

        said = shop.run(script, Ssh(target=at("/run/agent"), agent=place), *machine)

    assert said == "b'signed this'\n"
    assert "run" not in shop.left
    assert not list(shop.state.path and Path(shop.state.path).glob("caches/agent-*"))


def test_without_an_agent_that_listens_there_is_a_sentence(shop: Shop) -> None:
    with pytest.raises(StepFailedError, match="no ssh agent listens"):
        shop.run("true", Ssh(target=at("/run/agent"), agent=Path("/absent")))


def test_a_place_behind_a_symlink_of_the_image_is_found_inside_and_leaves_nothing(shop: Shop) -> None:
    said = shop.run(
        "cat /var/run/new/secret /link/kept; ls /var/run",
        Secret(target=at("/link/new/secret"), content=b"s3cret"),
    )

    assert said == "s3cretk" + "kept\nnew\n"
    assert "link" in shop.left


def test_mounts_may_stand_in_mounts(shop: Shop) -> None:
    said = shop.run("ls /a; grep -c ' /a' /proc/mounts", Tmpfs(target=at("/a/b/c")), Tmpfs(target=at("/a")))

    assert said == "b\n2\n"


@pytest.mark.parametrize(
    ("sharing", "seen"), [(Sharing.LOCKED, "first\nsecond\n"), (Sharing.PRIVATE, "second\n")]
)
def test_two_builders_have_a_cache_one_after_the_other_or_each_its_own(
    shop: Shop, tmp_path: Path, real_base: Layer, sharing: Sharing, seen: str
) -> None:
    other = Shop(tmp_path / "state", real_base)
    cache = Cache(target=at("/c"), id="shared", sharing=sharing)
    first = threading.Thread(target=shop.run, args=("echo first > /c/f; sleep 1", cache))
    try:
        first.start()
        held = tmp_path / "state"
        deadline = time.monotonic() + 30
        while not list(held.glob("*/caches/*/f")) and time.monotonic() < deadline:
            time.sleep(0.01)

        said = other.run("echo second >> /c/f; cat /c/f", cache)
    finally:
        first.join()
        other.snapshotter.close()

    assert said == seen


def test_a_root_of_another_mode_and_owner_keeps_them(shop: Shop, tmp_path: Path, real_base: Layer) -> None:
    from unionfs_sim.layers.layer import Dir

    odd = Shop(tmp_path / "odd", real_base, layer({"/": Dir(mode=0o711, uid=33, gid=44), "/x": "x"}))
    try:
        work = odd.snapshotter.prepare(odd.base)
        status = work.rootfs.lstat("/")
        tar = b"".join(odd.snapshotter.changes(work))
    finally:
        odd.snapshotter.close()

    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o711, 33, 44)
    assert tar == b""


def test_a_helper_can_be_started_by_a_thread_while_others_are_busy(tmp_path: Path, real_base: Layer) -> None:
    """A fork that leaves the interpreter before its own repairs waits for threads that are gone."""
    busy = threading.Event()
    spinning = [threading.Thread(target=lambda: [None for _ in iter(busy.is_set, True)]) for _ in range(3)]
    for each in spinning:
        each.start()
    try:
        for number in range(8):
            shop = Shop(tmp_path / str(number), real_base)
            ran: list[str] = []
            starting = threading.Thread(target=lambda shop=shop, ran=ran: ran.append(shop.run("echo up")))
            starting.start()
            starting.join(30)
            assert ran == ["up\n"]
            shop.snapshotter.close()
    finally:
        busy.set()
        for each in spinning:
            each.join()
