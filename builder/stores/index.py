"""What the store knows beside blobs: names, cache records. SQLite, so that several processes may write."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from builder.errors import StoreError
from builder.image.oci import Descriptor
from builder.image.reference import Reference

_BUSY_SECONDS: Final = 30.0
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tag (reference TEXT PRIMARY KEY, manifest TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
"""


class Index:
    """The database of one store. Safe for threads and for processes."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._told():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                # Power loss may cost the last changes, never consistency (sqlite.org, synchronous).
                self._connection.execute("PRAGMA synchronous=NORMAL")
                self.is_new = self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> bool:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, _VERSION):
            found = f"the store was written by another version ({version})"
            raise StoreError(found, where=self._path, fix="use another --state directory")
        if version == 0:
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version={_VERSION}")
        return bool(version == 0)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            fix = "remove that file: names are read again from index.json; or make room on the disk"
            raise StoreError(f"cannot use the store's index: {error}", where=self._path, fix=fix) from error

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Everything done inside happens at once, or not at all; others wait."""
        with self._lock, self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite has ended it already when the disk is full.
                    self._connection.execute("ROLLBACK")
                raise

    def _ask(self, question: str, *values: str) -> list[tuple[str, ...]]:
        with self._lock, self._told():
            return self._connection.execute(question, values).fetchall()

    def tag(self, reference: Reference, manifest: Descriptor) -> None:
        """Let ``reference`` name ``manifest``."""
        self._ask("INSERT OR REPLACE INTO tag VALUES (?, ?)", str(reference), json.dumps(manifest.document()))

    def untag(self, reference: Reference) -> None:
        """Forget ``reference``."""
        self._ask("DELETE FROM tag WHERE reference = ?", str(reference))

    def resolve(self, reference: Reference) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        found = self._ask("SELECT manifest FROM tag WHERE reference = ?", str(reference))
        return self._descriptor(found[0][0]) if found else None

    def tags(self) -> dict[Reference, Descriptor]:
        """All names, in order."""
        found = self._ask("SELECT reference, manifest FROM tag ORDER BY reference")
        return {Reference.parse(name): self._descriptor(manifest) for name, manifest in found}

    def _descriptor(self, written: str) -> Descriptor:
        return Descriptor.of(json.loads(written), where=self._path)

    def recall(self, key: str) -> Mapping[str, Any] | None:
        """The record remembered under ``key``, or None."""
        found = self._ask("SELECT record FROM cache WHERE key = ?", key)
        return None if not found else dict(json.loads(found[0][0]))

    def remember(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a JSON object under ``key``, in place of what was there."""
        written = json.dumps(record, sort_keys=True, separators=(",", ":"))
        self._ask("INSERT OR REPLACE INTO cache VALUES (?, ?)", key, written)

    def forget(self) -> None:
        """Drop all cache records."""
        self._ask("DELETE FROM cache")

    def records(self) -> list[str]:
        """All cache records as written, to look for digests in."""
        return [record for (record,) in self._ask("SELECT record FROM cache")]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()
