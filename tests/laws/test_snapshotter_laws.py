"""What every snapshotter must do (``builder.protocols.Snapshotter``), run on each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.context.edit import MakeDirectory, MakeSymlink, Remove, SetAttributes, WriteFile
from builder.context.transfer import Transfer
from builder.image.digest import DiffID, Digest, chain_id
from builder.protocols import EMPTY, Concurrency, Purpose, Snapshot, Snapshotter, Timestamps
from builder.snapshotters.memory import MemorySnapshotter
from builder.snapshotters.scan import ScanSnapshotter
from builder.stores.memory import MemoryStore
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.nodes.caller import TickingClock
from unionfs_sim.nodes.content import Content
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer
from unionfs_sim.vfs.posix import Posix

Make = Callable[[MemoryStore], Snapshotter[Posix]]


def memory(store: MemoryStore) -> Snapshotter[Posix]:
    return MemorySnapshotter(store)


def scan(store: MemoryStore) -> Snapshotter[Posix]:
    return ScanSnapshotter(Layer(clock=TickingClock(10**18, 1000)), store)


MAKERS = pytest.mark.parametrize("make", [memory, scan])
BASE = {
    "/etc/motd": "hello",
    "/etc/conf": Dir(mode=0o750, uid=3),
    "/etc/conf/a": File("a", mode=0o600),
    "/etc/conf/b": "b",
    "/bin": Symlink("etc"),
    "/var/log/x": "x",
}


def put(store: MemoryStore, tree: Layer, parent: Snapshot = EMPTY) -> Snapshot:
    """The parent with ``tree`` as one more layer."""
    layers = (*parent.layers, DiffID(store.put(pack(tree)).digest))
    return Snapshot(chain_id(layers), layers)


def layers_of(store: MemoryStore, snapshot: Snapshot) -> list[Layer]:
    found = []
    for diff_id in snapshot.layers:
        with store.open(Digest(diff_id)) as stream:
            found.append(read_layer(stream))
    return found


def seen(fs: Filesystem) -> Layer:
    """What a file system shows, as a plain tree; a builder's own directory is not of it."""
    copy = Layer()
    transfer = Transfer(fs, copy, time=lambda time_ns: time_ns)
    transfer.one("/", fs.lstat("/"))
    for name in sorted(fs.listdir("/")):
        if name != "kaniko":
            transfer.tree(f"/{name}")
    return copy


def finished(snapshotter: Snapshotter[Posix], store: MemoryStore, work, written=None) -> Snapshot:
    """Changes to the store, then commit: what an engine does."""
    stored = store.put(snapshotter.changes(work, written=written))
    return snapshotter.commit(work, DiffID(stored.digest) if stored.size else None)


@MAKERS
def test_a_workspace_shows_its_parent(make: Make) -> None:
    store = MemoryStore()

    work = make(store).prepare(put(store, layer(BASE)))

    assert seen(work.rootfs) == layer(BASE)


@MAKERS
def test_nothing_changed_makes_no_layer_and_the_parent_again(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    parent = put(store, layer(BASE))

    work = snapshotter.prepare(parent)

    assert finished(snapshotter, store, work) == parent


@MAKERS
def test_edits_are_made_in_order_and_listed_paths_are_enough(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    work = snapshotter.prepare(put(store, layer(BASE)), purpose=Purpose.EDITS)
    edits = [
        MakeDirectory("/new", Attributes(mode=0o700, uid=1, gid=2)),
        WriteFile("/new/f", Content.of(b"f"), Attributes(mode=0o640)),
        MakeSymlink("/new/l", "f"),
        WriteFile("/etc/motd", Content.of(b"bye"), Attributes(mode=0o644, uid=0, gid=0)),
        SetAttributes("/etc/conf", Attributes(mode=0o711)),
    ]

    snapshotter.apply(work, edits)
    after = finished(snapshotter, store, work, [PurePosixPath(edit.path) for edit in edits])

    assert merged(layers_of(store, after)) == layer(
        {
            **BASE,
            "/etc/motd": "bye",
            "/etc/conf": Dir(mode=0o711, uid=3),
            "/new": Dir(mode=0o700, uid=1, gid=2),
            "/new/f": File("f", mode=0o640),
            "/new/l": Symlink("f"),
        }
    )


@MAKERS
def test_a_removed_tree_is_gone_from_the_layers(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    work = snapshotter.prepare(put(store, layer(BASE)))

    snapshotter.apply(work, [Remove("/etc"), Remove("/nowhere")])
    after = finished(snapshotter, store, work)

    assert merged(layers_of(store, after)) == layer({"/bin": Symlink("etc"), "/var/log/x": "x"})


@MAKERS
def test_what_was_discarded_is_not_seen_again(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    parent = put(store, layer(BASE))
    work = snapshotter.prepare(parent)
    work.rootfs.unlink("/etc/motd")

    snapshotter.discard(work)
    snapshotter.discard(work)

    assert seen(snapshotter.prepare(parent).rootfs) == layer(BASE)


@MAKERS
def test_the_next_workspace_shows_what_was_committed(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    work = snapshotter.prepare(put(store, layer(BASE)))
    work.rootfs.unlink("/etc/motd")

    after = finished(snapshotter, store, work)

    assert seen(snapshotter.prepare(after).rootfs) == merged(layers_of(store, after))


@MAKERS
def test_a_layer_committed_elsewhere_is_unpacked(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    parent = put(store, layer(BASE))
    finished(snapshotter, store, snapshotter.prepare(parent))

    other = put(store, layer({"/etc/motd": "other"}), parent)

    assert snapshotter.prepare(other).rootfs.read_bytes("/etc/motd") == b"other"
    assert seen(snapshotter.prepare(parent).rootfs) == layer(BASE)


@MAKERS
def test_a_view_shows_a_finished_state_while_other_work_goes_on(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    done = finished(snapshotter, store, snapshotter.prepare(put(store, layer(BASE))))
    view = snapshotter.view(done, only=[PurePosixPath("/bin/conf"), PurePosixPath("/etc/mot*")])

    work = snapshotter.prepare(put(store, layer({"/etc/motd": "other"})))
    work.rootfs.write_bytes("/etc/more", b"")

    assert view.readlink("/bin") == "etc"
    assert sorted(view.listdir("/etc/conf")) == ["a", "b"]
    assert view.lstat("/etc/motd").st_size == 5


@MAKERS
def test_times_are_clamped_in_the_layer_and_in_what_the_next_step_sees(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    work = snapshotter.prepare(EMPTY)
    work.rootfs.write_bytes("/f", b"f")
    work.rootfs.utime("/f", ns=(5 * 10**9, 5 * 10**9))

    after = finished(snapshotter, store, work)

    (top,) = layers_of(store, after)
    assert top.lstat("/f").st_mtime_ns == 0
    assert Timestamps().latest_ns == 0


def test_only_a_snapshotter_with_many_roots_keeps_two_workspaces_apart() -> None:
    store = MemoryStore()
    snapshotter = memory(store)
    parent = put(store, layer(BASE))

    one, two = snapshotter.prepare(parent), snapshotter.prepare(parent)
    one.rootfs.unlink("/etc/motd")

    assert snapshotter.concurrency is Concurrency.MANY
    assert seen(two.rootfs) == layer(BASE)
    assert scan(store).concurrency is Concurrency.ONE


NAMES = st.sampled_from(["a", "b", "etc", "x"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
OPERATIONS = st.one_of(
    st.tuples(st.just("write_bytes"), PATHS, st.sampled_from([b"", b"1", b"two"])),
    st.tuples(st.just("mkdir"), PATHS, st.sampled_from([0o755, 0o700])),
    st.tuples(st.just("symlink"), NAMES, PATHS),
    st.tuples(st.just("unlink"), PATHS),
    st.tuples(st.just("rmdir"), PATHS),
    st.tuples(st.just("rename"), PATHS, PATHS),
    st.tuples(st.just("chmod"), PATHS, st.sampled_from([0o600, 0o755])),
    st.tuples(st.just("chown"), PATHS, st.just(7), st.just(8)),
    st.tuples(st.just("mknod"), PATHS, st.just(0o010644)),
)
SCRIPTS = st.lists(OPERATIONS, max_size=25)


def perform(root: Posix, script: list[tuple]) -> None:
    for verb, *arguments in script:
        with contextlib.suppress(OSError):
            getattr(root, verb)(*arguments)


@MAKERS
@given(first=SCRIPTS, second=SCRIPTS)
@settings(max_examples=60)
def test_merging_the_changes_onto_the_parent_gives_the_tree_that_was_changed(
    make: Make, first, second
) -> None:
    """Law 1: ``merge([*lowers, changes(merge(lowers), t)]) == t``."""
    store = MemoryStore()
    snapshotter = make(store)
    work = snapshotter.prepare(EMPTY)
    perform(work.rootfs, first)
    parent = finished(snapshotter, store, work)

    work = snapshotter.prepare(parent)
    perform(work.rootfs, second)
    expected = seen(work.rootfs)
    after = finished(snapshotter, store, work)

    assert merged(layers_of(store, after)) == expected


@MAKERS
def test_a_layer_holds_nothing_of_the_workspace_before(make: Make) -> None:
    store = MemoryStore()
    snapshotter = make(store)
    first = snapshotter.prepare(put(store, layer(BASE)))
    first.rootfs.write_bytes("/first", b"1")
    finished(snapshotter, store, first)

    second = snapshotter.prepare(put(store, layer({"/other": "o"})))
    second.rootfs.write_bytes("/second", b"2")
    after = finished(snapshotter, store, second)

    assert layers_of(store, after)[-1] == layer({"/second": "2"})
