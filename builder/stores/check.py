"""Whether a store holds what it says it holds, and what of it can be mended.

A damaged blob is of no use to anybody: a repair takes it away, and the next build, load or pull that needs it
stores it again. A damaged database is made anew from ``index.json``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from builder.errors import BuildError, StoreError
from builder.files.lock import try_alone
from builder.files.partial import discard, told
from builder.image.digest import Digest
from builder.image.image import load_manifest, read_document
from builder.image.layout import INDEX_FILE, LAYOUT_FILE, read_index
from builder.image.oci import INDEX_TYPES, Descriptor, Index
from builder.image.reference import Reference
from builder.stores.blobs import BlobDirectory
from builder.stores.database import Database
from builder.stores.layout import NAMES_FILE, LayoutStore


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be. ``what``: a digest, a name, or a file of the store.

    ``mend``: what a repair does or did about it, and what is left to do.
    """

    what: str
    problem: str
    mend: str


def check(path: str) -> list[Finding]:
    """Everything that is wrong with the store at ``path``; reads every blob, changes nothing."""
    if not os.path.exists(os.path.join(path, LAYOUT_FILE)):
        return []
    # Where nothing can be written, not even SQLite's shared memory, index.json alone is what is used.
    found = (os.access(path, os.W_OK) and list(_database(path))) or list(_index(path))
    if any(each.what == NAMES_FILE for each in found):
        return [*found, *_blobs(path)]  # Names cannot be told before the database is whole.
    with LayoutStore(path) as store:
        return [*found, *_blobs(path), *_names(store)]


def repair(path: str) -> list[Finding]:
    """Mend what is wrong with the store at ``path``; what was found, and what each needs from its user now.

    StoreError while another process uses the store.
    """
    found = list(_database(path))
    if found:
        _alone(path)
        for suffix in ("", "-wal", "-shm"):
            discard(os.path.join(path, NAMES_FILE + suffix))
        if list(_index(path)):
            discard(os.path.join(path, INDEX_FILE))
    with LayoutStore(path) as store:
        if broken := list(_index(path)):
            found += broken
            store.rewrite_index()
        damaged = list(_blobs(path))
        names = list(_names(store))
        for each in damaged:
            store.remove(Digest(each.what))
        for each in names:
            reference = Reference.parse(each.what)
            manifest = store.resolve(reference)
            if manifest is not None and store.find(manifest.digest) is None:
                store.untag(reference)
    return [*found, *damaged, *names]


def _alone(path: str) -> None:
    with told("cannot lock the store", path), open(os.path.join(path, "lock"), "ab") as lock:
        if not try_alone(lock.fileno()):
            raise StoreError(
                "another process uses the store", where=path, fix="repair it when that has ended"
            )


def _database(path: str) -> Iterator[Finding]:
    if not os.path.exists(os.path.join(path, NAMES_FILE)):
        return
    mend = f"made anew, with the names in {INDEX_FILE}; what was cached is built again"
    try:
        database = Database(os.path.join(path, NAMES_FILE), now=time.time)
        try:
            for problem in database.problems():
                yield Finding(NAMES_FILE, problem, mend)
        finally:
            database.close()
    except StoreError as error:
        yield Finding(NAMES_FILE, error.what, mend)


def _index(path: str) -> Iterator[Finding]:
    try:
        read_index(path)
    except BuildError as error:
        yield Finding(INDEX_FILE, error.what, "written anew, with the names that are known")


def _blobs(path: str) -> Iterator[Finding]:
    blobs = BlobDirectory(path)
    for digest in sorted(blobs.sizes()):
        try:
            whole = blobs.is_whole(digest)
        except OSError as error:
            yield Finding(digest, f"cannot be read: {error.strerror}", "removed")
            continue
        if not whole:
            yield Finding(digest, "its bytes have another digest", "removed")


def _names(store: LayoutStore) -> Iterator[Finding]:
    for reference, manifest in store.tags().items():
        try:
            missing = _missing(store, manifest)
        except BuildError as error:
            if store.find(manifest.digest) is None:
                mend = "the name is taken away: build, load or pull the image again"
                yield Finding(reference.familiar, "its manifest is missing or damaged", mend)
            else:
                mend = "build, load or pull it again"
                yield Finding(reference.familiar, error.what, mend)
            continue
        if missing:
            mend = "build, load or pull it again"
            yield Finding(reference.familiar, f"{len(missing)} of its blobs are missing or damaged", mend)


def _missing(store: LayoutStore, descriptor: Descriptor) -> set[Digest]:
    """The blobs of an image that are not there, or not whole."""
    if descriptor.media_type in INDEX_TYPES:
        entries = Index.parse(read_document(store, descriptor.digest)).manifests
        return set().union(*(_missing(store, entry) for entry in entries))
    manifest = load_manifest(store, descriptor)
    needed = {manifest.config.digest, *(layer.digest for layer in manifest.layers)}
    return {digest for digest in needed if store.find(digest) is None}
