"""``--cache-from`` and ``--cache-to``: the cache of a build in a registry or a directory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

import click

from builder.errors import BuildError, UnknownImageError
from builder.events import Listener
from builder.image.oci import Platform
from builder.image.reference import Reference
from builder.protocols import Records
from builder.stores.layout import LayoutStore
from builder.transport.cache import STEP, packed, unpacked
from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from builder.transport.registry.repository import Registries

_CALLED: Final = Reference.parse("layerlab.invalid/cache:latest")
"""What a cache is called while it passes through the store, and in a directory."""

OpenRegistries = Callable[[], AbstractContextManager["Registries"]]


class Place(Record):
    """Where a cache is: a reference in a registry, or a directory."""

    reference: Reference | None
    directory: str

    @classmethod
    def parse(cls, option: str, written: str) -> Place:
        """The place that ``type=registry,ref=NAME``, ``type=local,src|dest=DIR`` or just a name says.

        >>> Place.parse("--cache-to", "type=local,dest=/tmp/cache").directory
        '/tmp/cache'
        """
        if "=" not in written:
            return cls(Reference.parse(written), "")
        import csv  # here, as few builds name a cache

        fields = dict(part.partition("=")[::2] for part in next(csv.reader([written])))
        kind = fields.pop("type", "")
        fields.pop("mode", None)  # min or max: what there is has but one size
        if kind == "registry" and (name := fields.pop("ref", "")) and not fields:
            return cls(Reference.parse(name), "")
        if kind == "local" and (path := fields.pop("src", "") or fields.pop("dest", "")) and not fields:
            return cls(None, path)
        raise click.UsageError(f"{option} {written}: write type=registry,ref=NAME or type=local,src=DIR")


def bring(
    store: LayoutStore, place: Place, platform: Platform, open_registries: OpenRegistries, listener: Listener
) -> int:
    """Learn the steps of the cache at ``place``; how many were new. A cache that is not there has none."""
    from builder.transport.load import load, opened

    known = set(store.tags())
    try:
        if place.reference is not None:
            from builder.transport.registry.pull import pull

            with open_registries() as registries:
                image = pull(store, registries, place.reference, platform, listener=listener).image
        else:
            try:
                with opened(place.directory) as source:
                    image = load(store, source)[0].image
            except (BuildError, IndexError):
                return 0
        return unpacked(store, store, image)
    except UnknownImageError:
        return 0
    finally:
        for name in set(store.tags()) - known:
            store.untag(name)


def leave(
    store: LayoutStore,
    place: Place,
    keys: Iterable[str],
    platform: Platform,
    open_registries: OpenRegistries,
    listener: Listener,
) -> None:
    """Put the records of ``keys`` and their layers at ``place``, instead of what was there."""
    manifest = packed(store, store, keys, platform)
    if place.reference is not None:
        from builder.transport.registry.push import push

        with open_registries() as registries:
            push(store, registries, manifest, place.reference, listener=listener)
        return
    from builder.transport.output import Output, OutputKind
    from builder.transport.save import Named, export

    export(store, [Named(manifest, (_CALLED,))], Output(OutputKind.OCI, place.directory, as_directory=True))


class StepRepository:
    """A repository of a registry with one image for each step, as Kaniko's cache. Implements ``Records``.

    ``records``: what is known here. A step that is not is asked for by its key, which is the image's tag;
    what the build makes is sent by ``leave``. Safe for threads.
    """

    def __init__(
        self,
        records: Records,
        store: LayoutStore,
        repository: Reference,
        platform: Platform,
        open_registries: OpenRegistries,
        listener: Listener,
    ) -> None:
        self._records = records
        self._store = store
        self._repository = repository
        self._platform = platform
        self._open = open_registries
        self._listener = listener
        self._asked: set[str] = set()
        self._made: dict[str, None] = {}
        self._lock = threading.Lock()

    def recall(self, key: str, /) -> Mapping[str, Any] | None:
        """The record that is here, or the repository's."""
        found = self._records.recall(key)
        if found is not None or not key.startswith(STEP):
            return found
        with self._lock:
            if key not in self._asked:
                self._asked.add(key)
                bring(self._store, self._place(key), self._platform, self._open, self._listener)
        return self._records.recall(key)

    def remember(self, key: str, record: Mapping[str, Any], /) -> None:
        """Keep the record here, and note it for ``leave``."""
        self._records.remember(key, record)
        if key.startswith(STEP):
            self._made[key] = None

    def leave(self) -> None:
        """Send what this build made: an image for each step."""
        for key in self._made:
            leave(self._store, self._place(key), [key], self._platform, self._open, self._listener)
        self._made.clear()

    def _place(self, key: str) -> Place:
        return Place(
            Reference(self._repository.registry, self._repository.repository, key.removeprefix(STEP)), ""
        )
