"""What the store knows beside blobs: names, records, which blobs are whole. SQLite: several processes write.

Every row has a checksum, because SQLite has none: a record that was damaged is as if it had never been
remembered, a damaged name is an error.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from builder.errors import StoreError
from builder.image.digest import Digest
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.stores.blobs import Identity
from builder.stores.pruning import Record
from builder.stores.summary import Summary

REPAIR: Final = "layerlab image check --repair makes it anew; names are read again from index.json"
_BUSY_SECONDS: Final = 30.0
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION: Final = 3
_TABLES: Final = {
    "tag": "value TEXT, sum INTEGER",
    "record": "value TEXT, sum INTEGER",
    "used": "seconds INTEGER NOT NULL",
    "summary": "value TEXT, sum INTEGER",
    "seen": "value TEXT, sum INTEGER",
}


class Database:
    """The database of one store. Safe for threads and for processes.

    ``is_new``: it was made just now, or an earlier version of the program had written it. It holds no names
    then, and stays new for whoever opens it until ``complete`` was called.
    """

    def __init__(self, path: str, *, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now
        self._lock = threading.RLock()
        self._asked: set[str] = set()
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
        if version == _VERSION:
            return False
        self._connection.execute("BEGIN IMMEDIATE")  # Another process may have made it whole meanwhile.
        with self._connection:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version > _VERSION:
                found = f"the store was written by a newer layerlab (version {version} of its index)"
                fix = "update layerlab, or use another --state directory"
                raise StoreError(found, where=self._path, fix=fix)
            if version == _VERSION:
                return False
            for table, columns in _TABLES.items():
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
                self._connection.execute(
                    f"CREATE TABLE {table} (key TEXT PRIMARY KEY, {columns}) WITHOUT ROWID"
                )
        return True

    def complete(self) -> None:
        """The names are known; inside the transaction that has learnt them, so that a kill loses none."""
        self._ask(f"PRAGMA user_version={_VERSION}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeDecodeError) as error:
            # A message of SQLite may itself hold bytes of the damaged file, which Python cannot decode.
            said = str(error) if isinstance(error, sqlite3.Error) else "it is damaged"
            full = "full" in said
            fix = "make room on the disk: layerlab image prune --cache" if full else REPAIR
            raise StoreError(f"cannot use the store's index: {said}", where=self._path, fix=fix) from error

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

    def _ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        with self._lock, self._told():
            return self._connection.execute(question, values).fetchall()

    def _put(self, table: str, key: str, value: str) -> None:
        self._ask(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", key, value, _sum(key, value))

    def _get(self, table: str, key: str) -> str | None:
        """The value, or None if there is none or it is damaged."""
        found = self._ask(f"SELECT value, sum FROM {table} WHERE key = ?", key)
        return found[0][0] if found and _is_sound(key, *found[0]) else None

    # ---- names ----

    def tag(self, reference: Reference, manifest: Descriptor) -> None:
        """Let ``reference`` name ``manifest``."""
        self._put("tag", str(reference), json.dumps(manifest.document()))

    def untag(self, reference: Reference) -> None:
        """Forget ``reference``."""
        self._ask("DELETE FROM tag WHERE key = ?", str(reference))

    def resolve(self, reference: Reference) -> Descriptor | None:
        """The manifest that ``reference`` names, or None."""
        found = self._ask("SELECT value, sum FROM tag WHERE key = ?", str(reference))
        return self._descriptor(str(reference), *found[0]) if found else None

    def tags(self) -> dict[Reference, Descriptor]:
        """All names, in order."""
        found = self._ask("SELECT key, value, sum FROM tag ORDER BY key")
        return {Reference.parse(key): self._descriptor(key, value, sum_) for key, value, sum_ in found}

    def listed(self) -> list[tuple[Reference, Digest]]:
        """All names, in order, and the digests of their manifests."""
        found = self._ask("SELECT key, value, sum FROM tag ORDER BY key")
        return [(Reference.parse(row[0]), Digest(self._document(*row)["digest"])) for row in found]

    def _descriptor(self, key: object, value: object, sum_: object) -> Descriptor:
        return Descriptor.of(self._document(key, value, sum_), where=self._path)

    def _document(self, key: object, value: object, sum_: object) -> dict[str, Any]:
        if not _is_sound(key, value, sum_):
            raise StoreError("a name in the store's index is damaged", where=self._path, fix=REPAIR)
        document: dict[str, Any] = json.loads(str(value))
        return document

    # ---- records ----

    def recall(self, key: str) -> Mapping[str, Any] | None:
        """The record remembered under ``key``, or None."""
        value = self._get("record", key)
        if value is None:
            return None
        self._asked.add(key)
        return dict(json.loads(value))

    def remember(self, key: str, record: Mapping[str, Any]) -> None:
        """Keep a JSON object under ``key``, in place of what was there."""
        self._put("record", key, json.dumps(record, sort_keys=True, separators=(",", ":")))
        self._asked.add(key)

    def forget(self, keys: Iterable[str] | None = None) -> None:
        """Drop records; all of them if no keys are given."""
        with self.changing():
            if keys is None:
                self._ask("DELETE FROM record")
                self._ask("DELETE FROM used")
                return
            for key in keys:
                self._ask("DELETE FROM record WHERE key = ?", key)
                self._ask("DELETE FROM used WHERE key = ?", key)

    def records(self) -> list[Record]:
        """All records, with the digests that they hold."""
        self._keep_uses()
        found = self._ask("SELECT key, value, seconds FROM record LEFT JOIN used USING (key)")
        return [
            Record(str(key), seconds or 0, frozenset(map(Digest, _DIGEST.findall(str(value)))))
            for key, value, seconds in found
        ]

    def _keep_uses(self) -> None:
        """Write down which records were of use: once, so that asking for one stays cheap."""
        if not self._asked:
            return
        seconds = int(self._now())
        with self._lock, self.changing():
            rows = ((key, seconds) for key in sorted(self._asked))
            self._connection.executemany("INSERT OR REPLACE INTO used VALUES (?, ?)", rows)
            self._asked.clear()

    # ---- lists ----

    def summaries(self) -> dict[Digest, Summary]:
        """What is known of images, by the digest of their manifest."""
        found = self._ask("SELECT key, value, sum FROM summary")
        return {
            Digest(key): Summary.parse(value) for key, value, sum_ in found if _is_sound(key, value, sum_)
        }

    def summarize(self, summaries: Mapping[Digest, Summary]) -> None:
        """Keep what a list says of images."""
        with self.changing():
            for digest, summary in summaries.items():
                self._put("summary", digest, summary.to_json())

    def forget_summaries(self, digests: Iterable[Digest]) -> None:
        """Drop what is known of images that are gone."""
        with self.changing():
            for digest in digests:
                self._ask("DELETE FROM summary WHERE key = ?", digest)

    # ---- blobs ----

    def seen(self, digest: Digest, /) -> Identity | None:
        """The file that was found whole, or None."""
        value = self._get("seen", digest)
        return None if value is None else Identity(*json.loads(value))

    def see(self, digest: Digest, identity: Identity, /) -> None:
        """This file is whole."""
        self._put("seen", digest, json.dumps(identity))

    # ---- the whole ----

    def problems(self) -> list[str]:
        """What is damaged in it, as SQLite and the checksums tell."""
        found = [str(problem) for (problem,) in self._ask("PRAGMA integrity_check")]
        rows = (
            row
            for table in ("tag", "record", "summary", "seen")
            for row in self._ask(f"SELECT * FROM {table}")
        )
        damaged = sum(not _is_sound(*row) for row in rows)
        return [*(each for each in found if each != "ok"), *([f"{damaged} damaged rows"] if damaged else [])]

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            with contextlib.suppress(StoreError):  # A full disk: then nobody knows what was of use.
                self._keep_uses()
            self._connection.close()


def _sum(key: str, value: str) -> int:
    return zlib.crc32(f"{key}\0{value}".encode("utf-8", "surrogatepass"))


def _is_sound(key: object, value: object, sum_: object) -> bool:
    return isinstance(key, str) and isinstance(value, str) and sum_ == _sum(key, value)
