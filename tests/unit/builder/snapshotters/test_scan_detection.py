"""Which change each mode of a scan notices, and which entries it writes.

The expectations were measured with Kaniko 1.24 in a real root; see the fidelity page.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import pytest

from builder.events import ChangesFound
from builder.image.digest import DiffID, chain_id
from builder.protocols import Purpose, Snapshot
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.scan.memory import scanning
from builder.stores.memory import MemoryStore
from unionfs_sim.filesystem import Attributes
from unionfs_sim.layers.layer import File, Layer, Symlink, layer
from unionfs_sim.nodes.caller import TickingClock
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.reader import TarReader

RAW_NET = bytes.fromhex("0100000200200000000000000000000000000000")
"""cap_net_raw, permitted and effective (setcap cap_net_raw+ep)."""

Act = Callable[[Layer], object]
YES, NO = True, False


def rewrite(path: str, text: bytes, *, keep_time: bool = False) -> Act:
    def act(root: Layer) -> None:
        before = root.lstat(path)
        file = root.open(path, os.O_WRONLY | os.O_TRUNC)
        file.write(text)
        file.close()
        if keep_time:
            root.setattr(path, Attributes(mtime_ns=before.st_mtime_ns))

    return act


def create(path: str, mtime_ns: int | None = None) -> Act:
    def act(root: Layer) -> None:
        root.write_bytes(path, b"new")
        if mtime_ns is not None:
            root.setattr(path, Attributes(mtime_ns=mtime_ns))

    return act


def retarget(root: Layer) -> None:
    before = root.lstat("/ln")
    root.unlink("/ln")
    root.symlink("g", "/ln")
    root.setattr("/ln", Attributes(mtime_ns=before.st_mtime_ns))


def delete_tree(root: Layer) -> None:
    root.unlink("/d/sub/y")
    root.rmdir("/d/sub")
    root.unlink("/d/x")
    root.rmdir("/d")


def recreate(root: Layer) -> None:
    delete_tree(root)
    root.mkdir("/d")
    root.write_bytes("/d/z", b"z")


def to_directory(root: Layer) -> None:
    root.unlink("/g")
    root.mkdir("/g")


def create_then_delete(root: Layer) -> None:
    root.write_bytes("/t", b"t")
    root.unlink("/t")


CASES: list[tuple[str, Act, tuple[bool, bool, bool], str]] = [
    ("new file", create("/new"), (YES, YES, YES), "new"),
    ("new file, mtime set to 2001", create("/new", 978_307_200 * 10**9), (YES, YES, YES), "new"),
    ("content, other size", rewrite("/f", b"longer text"), (YES, YES, YES), "f"),
    ("content, same size", rewrite("/f", b"F"), (YES, YES, YES), "f"),
    ("content, same size, mtime restored", rewrite("/f", b"F", keep_time=True), (YES, NO, NO), "f"),
    ("content, other size, mtime restored", rewrite("/f", b"FF", keep_time=True), (YES, YES, NO), "f"),
    ("rewrite same bytes", rewrite("/f", b"f"), (YES, YES, YES), "f"),
    ("touch", lambda root: root.utime("/f"), (YES, YES, YES), "f"),
    ("chmod", lambda root: root.chmod("/f", 0o600), (YES, YES, NO), "f"),
    ("chown", lambda root: root.chown("/f", 5, 5), (YES, YES, NO), "f"),
    ("setcap", lambda root: root.setxattr("/f", "security.capability", RAW_NET), (YES, NO, NO), "f"),
    ("user.* xattr", lambda root: root.setxattr("/f", "user.note", b"n"), (NO, NO, NO), ""),
    ("symlink retarget same length, mtime restored", retarget, (YES, NO, NO), "g ln"),
    ("delete file", lambda root: root.unlink("/g"), (YES, YES, YES), ".wh.g"),
    ("delete tree", delete_tree, (YES, YES, YES), ".wh.d"),
    ("rmtree + recreate dir (opaque)", recreate, (YES, YES, YES), "d/ d/.wh.sub d/.wh.x d/z"),
    ("rename file", lambda root: root.rename("/g", "/g2"), (YES, YES, YES), ".wh.g g2"),
    ("file -> directory", to_directory, (YES, YES, YES), "g/"),
    ("hard link", lambda root: root.link("/f", "/hl"), (YES, YES, YES), "hl"),
    ("fifo", lambda root: root.mknod("/p", stat.S_IFIFO | 0o644), (YES, YES, YES), "p"),
    ("create then delete", create_then_delete, (NO, NO, NO), ""),
    ("read only", lambda root: root.read_bytes("/f"), (NO, NO, NO), ""),
]


def base(mtime_ns: int) -> Layer:
    text = {"/f": "f", "/g": "g", "/d/x": "x", "/d/sub/y": "y"}
    files = {path: File(content, mtime_ns=mtime_ns) for path, content in text.items()}
    return layer({**files, "/ln": Symlink("f", mtime_ns=mtime_ns)})


def scanned(act: Act, mode: Mode, mtime_ns: int) -> list[str]:
    """The names in the layer that a RUN doing ``act`` makes; [] if no change was noticed."""
    store = MemoryStore()
    diff_id = DiffID(store.put(pack(base(mtime_ns), latest_ns=None)).digest)
    parent = Snapshot(chain_id([diff_id]), (diff_id,))
    snapshotter = scanning(Layer(clock=TickingClock(10**18, 1000)), store, mode=mode)
    work = snapshotter.prepare(parent, purpose=Purpose.ANYTHING)
    act(work.rootfs)
    made = store.put(snapshotter.changes(work))
    if made.size == 0:
        return []
    with store.open(made.digest) as stream:
        return [header.name for header in TarReader(stream)]


@pytest.mark.parametrize("mtime_ns", [10**17 + 5, 10**17], ids=["ns!=0", "ns==0"])
@pytest.mark.parametrize(("name", "act", "noticed", "entries"), CASES, ids=[case[0] for case in CASES])
def test_a_scan_notices_what_kaniko_notices(name, act, noticed, entries, mtime_ns: int):
    full, redo, time = (bool(scanned(act, mode, mtime_ns)) for mode in (Mode.FULL, Mode.REDO, Mode.TIME))

    assert (full, redo, time) == noticed


@pytest.mark.parametrize(("name", "act", "noticed", "entries"), CASES, ids=[case[0] for case in CASES])
def test_a_full_scan_writes_the_entries_that_kaniko_writes(name, act, noticed, entries):
    assert sorted(scanned(act, Mode.FULL, 10**17 + 5)) == sorted(entries.split())


def test_what_a_scan_costs_is_said():
    store = MemoryStore()
    events: list[object] = []
    snapshotter = scanning(base(1), store, listener=events.append)

    work = snapshotter.prepare(Snapshot(None, ()), purpose=Purpose.ANYTHING)
    list(snapshotter.changes(work))

    # The root, four files, two directories, one symlink; four bytes; before and after.
    assert events == [ChangesFound("scan-1", 8, 4), ChangesFound("scan-1", 8, 4)]


def test_edits_that_are_listed_need_no_scan():
    store = MemoryStore()
    events: list[object] = []
    snapshotter = scanning(Layer(), store, listener=events.append)

    work = snapshotter.prepare(Snapshot(None, ()), purpose=Purpose.EDITS)

    assert events == []
    assert work.rootfs.listdir("/") == []
