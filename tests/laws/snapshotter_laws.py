"""What every snapshotter must do (``builder.protocols.Snapshotter``).

A module that tests one makes a class of these laws, with a fixture ``make`` that returns a function from a
store to a new snapshotter. The laws look at roots and change them through the verbs of ``Filesystem`` alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from builder.context.edit import MakeDirectory, MakeSymlink, Remove, SetAttributes, WriteFile
from builder.context.transfer import Transfer
from builder.image.digest import DiffID, Digest, chain_id
from builder.protocols import EMPTY, Concurrency, Purpose, Snapshot, Snapshotter, Usage, Workspace
from builder.stores.memory import MemoryStore
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.nodes.content import Content
from unionfs_sim.tar.pack import pack
from unionfs_sim.tar.unpack import read_layer

Make: TypeAlias = Callable[[MemoryStore], Snapshotter[Any]]

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


def finished(
    snapshotter: Snapshotter[Any],
    store: MemoryStore,
    work: Workspace[Any],
    written: Iterable[PurePosixPath] | None = None,
) -> Snapshot:
    """Changes to the store, then commit: what an engine does."""
    stored = store.put(snapshotter.changes(work, written=written))
    return snapshotter.commit(work, DiffID(stored.digest) if stored.size else None)


def write(fs: Filesystem, path: str, content: bytes) -> None:
    file = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        file.write(content)
    finally:
        file.close()


def read(fs: Filesystem, path: str) -> bytes:
    file = fs.open(path, os.O_RDONLY)
    try:
        return file.read()
    finally:
        file.close()


NAMES = st.sampled_from(["a", "b", "etc", "x"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
OPERATIONS = st.one_of(
    st.tuples(st.just(write), PATHS, st.sampled_from([b"", b"1", b"two"])),
    st.tuples(st.just("mkdir"), PATHS, st.sampled_from([0o755, 0o700])),
    st.tuples(st.just("symlink"), NAMES, PATHS),
    st.tuples(st.just("remove"), PATHS),
    st.tuples(st.just("link"), PATHS, PATHS),
    st.tuples(st.just("setattr"), PATHS, st.sampled_from([0o600, 0o755]).map(lambda m: Attributes(mode=m))),
    st.tuples(st.just("setattr"), PATHS, st.just(Attributes(uid=7, gid=8))),
    st.tuples(st.just("mknod"), PATHS, st.just(0o010644)),
)
SCRIPTS = st.lists(OPERATIONS, max_size=25)


def perform(root: Filesystem, script: list[tuple[Any, ...]]) -> None:
    for verb, *arguments in script:
        with contextlib.suppress(OSError):
            if callable(verb):
                verb(root, *arguments)
            else:
                getattr(root, verb)(*arguments)


class SnapshotterLaws:
    """The laws. ``own``: names in the root that belong to the builder and to no layer."""

    own: frozenset[str] = frozenset()

    def seen(self, fs: Filesystem) -> Layer:
        """What a file system shows, as a plain tree."""
        copy = Layer()
        transfer = Transfer(fs, copy, time=lambda time_ns: time_ns)
        transfer.one("/", fs.lstat("/"))
        for name in sorted(fs.listdir("/")):
            if name not in self.own:
                transfer.tree(f"/{name}")
        return copy

    def test_a_workspace_shows_its_parent(self, make: Make) -> None:
        store = MemoryStore()

        work = make(store).prepare(put(store, layer(BASE)))

        assert self.seen(work.rootfs) == layer(BASE)

    def test_nothing_changed_makes_no_layer_and_the_parent_again(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        parent = put(store, layer(BASE))

        work = snapshotter.prepare(parent)

        assert finished(snapshotter, store, work) == parent

    def test_edits_are_made_in_order_and_listed_paths_are_enough(self, make: Make) -> None:
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

    def test_a_removed_tree_is_gone_from_the_layers(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        work = snapshotter.prepare(put(store, layer(BASE)))

        snapshotter.apply(work, [Remove("/etc"), Remove("/nowhere")])
        after = finished(snapshotter, store, work)

        assert merged(layers_of(store, after)) == layer({"/bin": Symlink("etc"), "/var/log/x": "x"})

    def test_what_was_discarded_is_not_seen_again(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        parent = put(store, layer(BASE))
        work = snapshotter.prepare(parent)
        work.rootfs.remove("/etc/motd")

        snapshotter.discard(work)
        snapshotter.discard(work)

        assert self.seen(snapshotter.prepare(parent).rootfs) == layer(BASE)

    def test_changes_may_be_asked_twice(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        work = snapshotter.prepare(put(store, layer(BASE)), purpose=Purpose.EDITS)
        snapshotter.apply(work, [Remove("/etc/motd"), WriteFile("/f", Content.of(b"f"))])
        written = [PurePosixPath("/f")]

        first, second = (b"".join(snapshotter.changes(work, written=written)) for _ in range(2))

        assert first
        assert first == second

    def test_the_next_workspace_shows_what_was_committed(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        work = snapshotter.prepare(put(store, layer(BASE)))
        work.rootfs.remove("/etc/motd")

        after = finished(snapshotter, store, work)

        assert self.seen(snapshotter.prepare(after).rootfs) == merged(layers_of(store, after))

    def test_a_layer_committed_elsewhere_is_unpacked(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        parent = put(store, layer(BASE))
        finished(snapshotter, store, snapshotter.prepare(parent))

        other = put(store, layer({"/etc/motd": "other"}), parent)
        work = snapshotter.prepare(other)

        assert read(work.rootfs, "/etc/motd") == b"other"
        snapshotter.discard(work)
        assert self.seen(snapshotter.prepare(parent).rootfs) == layer(BASE)

    def test_a_view_shows_a_finished_state_while_other_work_goes_on(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        done = finished(snapshotter, store, snapshotter.prepare(put(store, layer(BASE))))
        view = snapshotter.view(done, only=[PurePosixPath("/bin/conf"), PurePosixPath("/etc/mot*")])

        work = snapshotter.prepare(put(store, layer({"/etc/motd": "other"})))
        write(work.rootfs, "/etc/more", b"")

        assert view.readlink("/bin") == "etc"
        assert sorted(view.listdir("/etc/conf")) == ["a", "b"]
        assert view.lstat("/etc/motd").st_size == 5
        assert read(view, "/etc/motd") == b"hello"

    def test_times_are_clamped_in_the_layer(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        work = snapshotter.prepare(EMPTY)
        write(work.rootfs, "/f", b"f")
        work.rootfs.setattr("/f", Attributes(mtime_ns=5 * 10**9, atime_ns=5 * 10**9))

        after = finished(snapshotter, store, work)

        (top,) = layers_of(store, after)
        assert top.lstat("/f").st_mtime_ns == 0

    def test_two_workspaces_are_kept_apart_where_there_may_be_two(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        parent = put(store, layer(BASE))
        one = snapshotter.prepare(parent)
        one.rootfs.remove("/etc/motd")

        if snapshotter.concurrency is Concurrency.ONE:
            snapshotter.discard(one)

        assert self.seen(snapshotter.prepare(parent).rootfs) == layer(BASE)

    def test_usage_counts_the_merged_tree_and_every_inode_once(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        tree = layer({"/d/one": "12345", "/d/two": "1", "/gone": "x", "/l": Symlink("d")})
        tree.link("/d/one", "/d/again")
        work = snapshotter.prepare(put(store, tree))
        snapshotter.apply(work, [Remove("/gone")])
        after = finished(snapshotter, store, work)

        assert snapshotter.usage(after) == Usage(bytes=6, inodes=5)

    def test_closing_twice_is_closing_once_and_open_workspaces_are_discarded(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        snapshotter.prepare(put(store, layer(BASE)))

        snapshotter.close()
        snapshotter.close()

    def test_merging_the_changes_onto_the_parent_gives_the_tree_that_was_changed(self, make: Make) -> None:
        """Law 1: ``merge([*lowers, changes(merge(lowers), t)]) == t``."""

        @given(first=SCRIPTS, second=SCRIPTS)
        @settings(max_examples=60)
        def law(first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]) -> None:
            self.merging_gives_what_was_changed(make, first, second)

        law()

    def merging_gives_what_was_changed(
        self, make: Make, first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]
    ) -> None:
        """Two steps from nothing: the layers merged are what the second one left."""
        store = MemoryStore()
        snapshotter = make(store)
        work = snapshotter.prepare(EMPTY)
        perform(work.rootfs, first)
        parent = finished(snapshotter, store, work)

        work = snapshotter.prepare(parent)
        perform(work.rootfs, second)
        expected = self.seen(work.rootfs)
        after = finished(snapshotter, store, work)

        assert merged(layers_of(store, after)) == expected

    def test_a_layer_holds_nothing_of_the_workspace_before(self, make: Make) -> None:
        store = MemoryStore()
        snapshotter = make(store)
        first = snapshotter.prepare(put(store, layer(BASE)))
        write(first.rootfs, "/first", b"1")
        finished(snapshotter, store, first)

        second = snapshotter.prepare(put(store, layer({"/other": "o"})))
        write(second.rootfs, "/second", b"2")
        after = finished(snapshotter, store, second)

        assert layers_of(store, after)[-1] == layer({"/second": "2"})
