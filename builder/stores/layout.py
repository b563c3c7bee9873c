"""A store on disk: an OCI image layout that skopeo and umoci can read, with a SQLite index beside it.

OCI image-spec image-layout.md. ``index.json`` lists what is tagged and is rewritten inside the
transaction that changes a tag. A process that is killed leaves at most a file in ``scratch/``, which the
next one that is alone removes. Who writes holds a shared lock until it closes the store, so that blobs
that nothing refers to *yet* are not collected.
"""

from __future__ import annotations

import contextlib
import enum
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from builder.errors import BuildError, StoreError
from builder.files.lock import Lock, hold, try_alone
from builder.files.partial import discard, replacing, told
from builder.image.digest import Digest
from builder.image.layout import INDEX_FILE, LAYOUT_FILE, read_index, reference_of, repository, require_layout
from builder.image.oci import (
    ANNOTATION_CONTAINERD_NAME,
    ANNOTATION_REF_NAME,
    INDEX_TYPES,
    Descriptor,
    Index,
)
from builder.image.reference import Reference
from builder.image.verified import Incoming
from builder.stores.blobs import BlobDirectory
from builder.stores.database import Database
from builder.stores.listing import Listing, refused
from builder.stores.pruning import Shares, forgettable, shares
from builder.stores.summary import Summary
from unionfs_sim.nodes.record import Record, replace

if TYPE_CHECKING:
    from builder.protocols import Usage

NAMES_FILE: Final = "layerlab.sqlite"
_LOCK_FILE: Final = "lock"
_TURN_FILE: Final = "lock.opening"
_BEFORE: Final = frozenset({_LOCK_FILE, _TURN_FILE, "learn.json", "trees"})
"""What the state directory may hold before there is a layout: locks, a learner's progress, unpacked trees."""
_RESERVE_FILE: Final = "reserve"
_PAGE_BYTES: Final = 4096
_RESERVE_BYTES: Final = 128 << 10
"""What SQLite's log and shared memory and a new ``index.json`` need, and some."""
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)


class Collected(Record):
    """What a collection removed. ``skipped``: somebody may be writing, so nothing was."""

    blobs: int = 0
    size_bytes: int = 0
    skipped: bool = False


class Use(enum.Enum):
    """What a store is opened for: anything, or to make room in it, for which something is kept in reserve."""

    ANYTHING = "anything"
    MAKING_ROOM = "making room"


class LayoutStore:
    """Blobs, names and records in a directory. Implements ``builder.protocols.Store``.

    Where the directory cannot be written to, what needs no writing still works.
    """

    def __init__(self, path: str, *, use: Use = Use.ANYTHING, now: Callable[[], float] = time.time) -> None:
        self.path = path
        self._leases = 0
        self._is_closed = False
        self._leasing = threading.Lock()
        self._blobs = BlobDirectory(path)
        self._names: Database | Listing
        self.is_read_only = os.path.exists(os.path.join(path, LAYOUT_FILE)) and not os.access(path, os.W_OK)
        if self.is_read_only:
            self._open_to_read()
            return
        require_layout(path, beside=_BEFORE)
        if use is Use.MAKING_ROOM:
            discard(os.path.join(path, _RESERVE_FILE))
        with told("cannot use it as a store", path):
            os.makedirs(self._blobs.scratch, exist_ok=True)
            self._lock = os.open(os.path.join(path, _LOCK_FILE), os.O_RDWR | os.O_CREAT | _CLOEXEC, 0o644)
        try:
            with self._alone() as alone:
                if alone:
                    self._blobs.sweep_scratch()
            hold(self._lock, Lock.SHARED)
            with self._in_turn():
                self._names = Database(os.path.join(path, NAMES_FILE), now=now)
        except BaseException:
            os.close(self._lock)
            raise
        if self._names.is_new:
            try:
                self._read_index()
            except BaseException:
                self.close()
                raise

    def _open_to_read(self) -> None:
        """Names as ``index.json`` has them; the lock keeps collections of others away, where there is one."""
        self._names = Listing(self.path, self._listed())
        try:
            self._lock = os.open(os.path.join(self.path, _LOCK_FILE), os.O_RDONLY | _CLOEXEC)
        except OSError:
            self._lock = -1
            return
        hold(self._lock, Lock.SHARED)

    def _keep_reserve(self) -> None:
        """Have a file that can be given up when the disk is full: even deleting a name needs some room.

        As much of it as there is room for; the rest when there is more.
        """
        with (
            contextlib.suppress(OSError),
            open(os.path.join(self.path, _RESERVE_FILE), "ab", buffering=0) as file,
        ):
            while (lacking := _RESERVE_BYTES - file.tell()) > 0:
                file.write(bytes(min(lacking, _PAGE_BYTES)))

    def __enter__(self) -> LayoutStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the store; what was put and not tagged may now be collected. Idempotent."""
        if not self._is_closed:
            self._is_closed = True
            self._names.close()
            if not self.is_read_only:
                self._keep_reserve()  # Now that the database has given back what it needed.
            if self._lock >= 0:
                os.close(self._lock)

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Whether no other process has the store open; if so, none can open it inside."""
        if not try_alone(self._lock):
            yield False
            return
        try:
            yield True
        finally:
            hold(self._lock, Lock.SHARED)

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """One process after another: SQLite does not wait when several make a database at once."""
        with open(os.path.join(self.path, _TURN_FILE), "ab") as turn:
            hold(turn.fileno(), Lock.ALONE)
            yield

    # ---- builder.protocols.Store ----

    def put(self, blob: Iterable[bytes], /, *, expected: Descriptor | None = None) -> Descriptor:
        """Store the bytes; returns their digest and size. Idempotent. StoreError if not as ``expected``."""
        if self.is_read_only:
            return self._put_again(blob, expected)
        return self._blobs.put(blob, self._names, expected=expected)

    def _put_again(self, blob: Iterable[bytes], expected: Descriptor | None) -> Descriptor:
        """The descriptor of a blob that is here already; nothing new can be stored."""
        incoming = Incoming(expected)
        for piece in blob:
            incoming.seen(piece)
        known = self.find(incoming.end().digest)
        if known is None:
            raise refused(self.path)
        return known

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes; reading them to the end verifies the digest. StoreError if absent."""
        return self._blobs.open(digest)

    def find(self, digest: Digest, /) -> Descriptor | None:
        """The digest and size of a blob that is here; None if it is not, or is damaged."""
        return self._blobs.find(digest, self._names)

    def tag(self, reference: Reference, manifest: Descriptor, /) -> None:
        """Let ``reference`` name ``manifest`` from now on; StoreError if that blob is not here."""
        if self.find(manifest.digest) is None:
            raise StoreError(f"cannot tag {reference.familiar}: no such blob", where=manifest.digest)
        if self._names.resolve(reference) == manifest:
            return
        with self._names.changing():
            self._names.tag(reference, manifest)
            self._write_index()

    def resolve(self, reference: Reference, /) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        return self._names.resolve(reference)

    @contextmanager
    def lease(self) -> Iterator[None]:
        """While it lasts, nothing is collected, neither by this process nor by another."""
        with self._leasing:
            self._leases += 1
        try:
            yield
        finally:
            with self._leasing:
                self._leases -= 1

    def usage(self) -> Usage:
        """What all blobs take."""
        from builder.protocols import Usage  # it leads to half of the builder, and a list needs none of that

        sizes = self._blobs.sizes()
        return Usage(sum(sizes.values()), len(sizes))

    # ---- more than a builder needs ----

    def path_of(self, digest: Digest) -> str:
        """The file that holds the blob."""
        return self._blobs.path(digest)

    def untag(self, reference: Reference) -> bool:
        """Forget a name; False if there was none. The blobs stay until ``collect``."""
        with self._names.changing():
            known = self._names.resolve(reference) is not None
            self._names.untag(reference)
            self._write_index()
        return known

    def tags(self) -> dict[Reference, Descriptor]:
        """All names and the manifests that they name, in order of the names."""
        return self._names.tags()

    def recall(self, key: str) -> Mapping[str, Any] | None:
        """The cache record under ``key``, or None."""
        return self._names.recall(key)

    def remember(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a cache record: a JSON object. Blobs whose digest it holds are not collected."""
        self._names.remember(key, record)

    def summaries(self) -> list[tuple[Reference, Summary]]:
        """All names, in order, and what a list says of their images. An image is opened once in its life."""
        known = self._names.summaries()
        new: dict[Digest, Summary] = {}
        found = []
        for reference, digest in self._names.listed():
            summary = known.get(digest)
            if summary is None:
                summary = known[digest] = new[digest] = self._summary(self.tags()[reference])
            found.append((reference, summary))
        if new:
            self._names.summarize(new)
        return found

    def _summary(self, manifest: Descriptor) -> Summary:
        from builder.image.image import Image  # seldom needed, and not cheap

        return Summary.of(Image.load(self, manifest))

    def forget_cache(self) -> None:
        """Drop all records."""
        self._names.forget()

    def shares(self) -> Shares:
        """Who needs how much of it."""
        tags = self.tags()
        return shares(self._blobs.sizes(), len(set(tags.values())), self._named(), self._names.records())

    def prune(self, *, before: int | None = None, keep_bytes: int | None = None) -> Collected:
        """Forget records, and collect what only they needed: see ``forgettable``. Names stay."""
        if self.is_read_only:
            raise refused(self.path)
        if before is not None or keep_bytes is not None:
            records, sizes = self._names.records(), self._blobs.sizes()
            self._names.forget(
                list(forgettable(records, sizes, self._named(), before=before, keep_bytes=keep_bytes))
            )
        return self.collect()

    def remove(self, digest: Digest) -> None:
        """Take one blob away, whoever needs it: it is damaged."""
        self._blobs.remove(digest)

    def rewrite_index(self) -> None:
        """Write ``index.json`` anew."""
        with self._names.changing():
            self._write_index()

    def collect(self) -> Collected:
        """Remove every blob that neither a name nor a cache record leads to."""
        if self.is_read_only:
            raise refused(self.path)
        with self._leasing, self._alone() as alone:
            if not alone or self._leases:
                return Collected(skipped=True)
            self._blobs.sweep_scratch()
            sizes = self._blobs.sizes()
            garbage = sizes.keys() - self._reachable()
            for digest in sorted(garbage):
                self._blobs.remove(digest)
            self._names.forget_summaries(garbage)
            return Collected(len(garbage), sum(sizes[digest] for digest in garbage))

    def _reachable(self) -> set[Digest]:
        return {digest for record in self._names.records() for digest in record.digests} | self._named()

    def _named(self) -> set[Digest]:
        """Everything that names lead to."""
        found: set[Digest] = set()
        for descriptor in set(self.tags().values()):
            found |= self._closure(descriptor)
        return found

    def _closure(self, descriptor: Descriptor) -> set[Digest]:
        """The digests of a manifest or index and of everything that it leads to."""
        from builder.image.image import load_manifest, read_document  # a list of names needs none of it

        found = {descriptor.digest}
        try:
            if descriptor.media_type in INDEX_TYPES:
                for entry in Index.parse(read_document(self, descriptor.digest)).manifests:
                    found |= self._closure(entry)
                return found
            manifest = load_manifest(self, descriptor)
        except BuildError:
            return found  # Damaged: what it led to cannot be known, and is of no use without it.
        return found | {manifest.config.digest} | {layer.digest for layer in manifest.layers}

    def _write_index(self) -> None:
        """Let ``index.json`` say what the names say; inside a transaction."""
        entries = [
            replace(manifest, annotations={}).annotated(
                **{ANNOTATION_REF_NAME: reference.familiar, ANNOTATION_CONTAINERD_NAME: str(reference)}
            )
            for reference, manifest in self._names.tags().items()
        ]
        with replacing(os.path.join(self.path, INDEX_FILE), scratch=self._blobs.scratch) as stream:
            stream.write(Index(tuple(entries)).to_bytes())

    def _read_index(self) -> None:
        """Learn the names from ``index.json``, which outlives the database and the versions of its tables."""
        with self._names.changing():
            for reference, manifest in self._listed().items():
                self._names.tag(reference, manifest)
            self._write_index()
            self._names.complete()

    def _listed(self) -> dict[Reference, Descriptor]:
        """The names in ``index.json``."""
        called = repository(self.path)
        entries = read_index(self.path) or ()
        named = ((reference_of(entry, called=called), entry) for entry in entries)
        return {
            reference: replace(entry, annotations={}) for reference, entry in named if reference is not None
        }
