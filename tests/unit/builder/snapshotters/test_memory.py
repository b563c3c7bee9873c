"""The union's snapshotter keeps what it committed, and no bytes but those that are in the store."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snapshotter_laws import OPERATIONS, PATHS, finished, perform

from builder.context.content import FileContent
from builder.context.edit import MakeDirectory, WriteFile
from builder.errors import ContextError
from builder.protocols import EMPTY, Purpose, Snapshot, Timestamps
from builder.snapshotters.memory import MemorySnapshotter
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.nodes.content import Content

LATE = Attributes(mtime_ns=5 * 10**9, xattrs={"user.a": b"1"})
SCRIPTS = st.lists(
    st.one_of(
        OPERATIONS,
        st.tuples(st.just("rename"), PATHS, PATHS),
        st.tuples(st.just("mknod"), PATHS, st.sampled_from([0o140644, 0o010600])),
        st.tuples(st.just("write_bytes"), PATHS, st.just(b"x" * 3000)),
        st.tuples(
            st.just("setattr"), PATHS, st.just(Attributes(mtime_ns=5 * 10**9, xattrs={"user.a": b"1"}))
        ),
    ),
    max_size=25,
)


def everything(fs: Filesystem, top: str = "/") -> list[tuple[object, ...]]:
    """Every name in the order in which it is listed, with all that one can know of it but its number."""
    status = fs.lstat(top)
    kind = status.st_mode & 0o170000
    body: object = None
    if kind == 0o100000:
        file = fs.open(top, os.O_RDONLY)
        body = file.read()
        file.close()
    elif kind == 0o120000:
        body = fs.readlink(top)
    found: list[tuple[object, ...]] = [
        (top, status._replace(st_ino=0, st_dev=0, st_atime_ns=0, st_ctime_ns=0), fs.xattrs(top), body)
    ]
    if kind == 0o040000:
        for name in fs.listdir(top):
            found += everything(fs, f"{top.rstrip('/')}/{name}")
    return found


def two_steps(store: Any, snapshotter: MemorySnapshotter, first: list[Any], second: list[Any]) -> Snapshot:
    after = EMPTY
    for script in (first, second):
        work = snapshotter.prepare(after)
        perform(work.rootfs, script)
        after = finished(snapshotter, store, work)
    return after


@given(first=SCRIPTS, second=SCRIPTS)
@settings(max_examples=150)
def test_the_tree_that_is_kept_is_the_tree_that_is_read_back(first: list[Any], second: list[Any]) -> None:
    store = MemoryStore()
    kept = MemorySnapshotter(store)
    after = two_steps(store, kept, first, second)

    read = MemorySnapshotter(store)

    assert everything(kept.view(after)) == everything(read.view(after))


@pytest.mark.parametrize("latest_ns", [0, 3 * 10**9, None])
def test_times_are_kept_as_they_stand_in_the_layer(latest_ns: int | None) -> None:
    store = MemoryStore()
    kept = MemorySnapshotter(store, timestamps=Timestamps(latest_ns))
    work = kept.prepare(EMPTY)
    kept.apply(work, [WriteFile("/f", Content.of(b"f"), Attributes(mtime_ns=5 * 10**9))])
    after = finished(kept, store, work)

    assert everything(kept.view(after)) == everything(MemorySnapshotter(store).view(after))


def large_file(directory: Path, size: int = 5 << 20) -> Content:
    (directory / "large").write_bytes(os.urandom(1 << 20) * (size >> 20))
    return FileContent(HostDirectory(directory), "/large", size)


@pytest.mark.parametrize("kind", ["memory", "layout"])
def test_what_changes_in_the_context_afterwards_changes_nothing(tmp_path: Path, kind: str) -> None:
    context = tmp_path / "context"
    context.mkdir()
    content = large_file(context)
    before = content.read()
    store = MemoryStore() if kind == "memory" else LayoutStore(str(tmp_path / "store"))
    snapshotter = MemorySnapshotter(store)
    work = snapshotter.prepare(EMPTY, purpose=Purpose.EDITS)
    snapshotter.apply(work, [MakeDirectory("/d"), WriteFile("/d/large", content)])
    after = finished(snapshotter, store, work, [PurePosixPath("/d"), PurePosixPath("/d/large")])

    (context / "large").write_bytes(b"other")

    assert snapshotter.view(after).open("/d/large").read() == before  # type: ignore[union-attr]
    if isinstance(store, LayoutStore):
        store.close()


def test_no_content_is_held_after_a_commit(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path / "store")) as store:
        snapshotter = MemorySnapshotter(store)
        work = snapshotter.prepare(EMPTY)
        work.rootfs.write_bytes("/written", b"w" * (1 << 20))
        after = finished(snapshotter, store, work)
        (tree,) = snapshotter._lowers(after)

        held = sum(len(node.content._inline) for _, node in tree.inodes())
        assert held == 0
        assert tree.read_bytes("/written") == b"w" * (1 << 20)


def test_a_file_that_changes_its_size_while_it_is_copied_fails_the_step(tmp_path: Path) -> None:
    content = large_file(tmp_path)
    store = MemoryStore()
    snapshotter = MemorySnapshotter(store)
    work = snapshotter.prepare(EMPTY, purpose=Purpose.EDITS)
    snapshotter.apply(work, [WriteFile("/large", content)])
    (tmp_path / "large").write_bytes(b"short")

    with pytest.raises(ContextError, match="/large: it became shorter"):
        finished(snapshotter, store, work)


def test_a_large_file_can_be_changed_in_the_workspace_that_copied_it(tmp_path: Path) -> None:
    content = large_file(tmp_path)
    store = MemoryStore()
    snapshotter = MemorySnapshotter(store)
    work = snapshotter.prepare(EMPTY)
    snapshotter.apply(work, [WriteFile("/large", content)])

    file = work.rootfs.open("/large", os.O_WRONLY)
    file.write(b"changed")
    file.close()

    assert work.rootfs.read_bytes("/large") == b"changed" + content.read(7)
