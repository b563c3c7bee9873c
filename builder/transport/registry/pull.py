"""An image on its way from a registry into a store.

The manifest is chosen, the layers come at the same time, and each is decompressed as it comes. Nothing has a
name before everything is there and was checked; what is there already is not fetched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from builder.errors import ImageFormatError, RegistryError, UnknownImageError
from builder.events import Listener, TransferBegan, TransferDone, TransferMoved, nobody
from builder.image.compression import Limits, decompress
from builder.image.digest import Digest
from builder.image.image import Image, LayerBlob, choose
from builder.image.oci import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    MEDIA_LAYER,
    Descriptor,
    Index,
    Manifest,
    Platform,
    require_image,
)
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.protocols import Records, Store
from builder.transport.forms import Form, Forms
from builder.transport.registry.repository import Document, Registries, Repository
from builder.transport.together import Stop, together

THREADS: Final = 6
"""How many blobs travel at the same time, unless somebody says otherwise."""

_MAX_INDEX_DEPTH: Final = 4

T = TypeVar("T")


class RecordingStore(Store, Records, Protocol):
    """A store that also keeps records."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that came. ``digest``: of what the registry calls so; ``manifest``: as it is stored here."""

    digest: Digest
    manifest: Descriptor
    image: Image


def pull(
    store: RecordingStore,
    registries: Registries,
    reference: Reference,
    platform: Platform,
    *,
    limits: Limits | None = None,
    threads: int = THREADS,
    listener: Listener = nobody,
) -> Pulled:
    """Fetch the image that ``reference`` names into ``store``, and give it that name.

    ``platform``: which image of one for several; one for a single platform is taken as it is.
    UnknownImageError if there is none, RegistryError or ImageFormatError if what comes is not what it should
    be; then no name has changed.
    """
    return _Pull(store, registries, reference, limits or Limits(), threads, listener).run(platform)


class _Pull:
    def __init__(
        self,
        store: RecordingStore,
        registries: Registries,
        reference: Reference,
        limits: Limits,
        threads: int,
        listener: Listener,
    ) -> None:
        self._store = store
        self._forms = Forms(store)
        self._reference = reference
        self._repositories = registries.to_pull(reference.registry, reference.repository)
        self._limits = limits
        self._threads = threads
        self._listener = listener

    def run(self, platform: Platform) -> Pulled:
        with self._store.lease():
            named = self._named()
            document = self._chosen(named, platform)
            manifest = Manifest.parse(document.raw, where=self._where(document))
            image = self._described(manifest)
            blobs = list({layer.descriptor.digest: layer for layer in image.layers}.values())
            fetched = together(
                [lambda stop, layer=layer: self._layer(layer, stop) for layer in blobs],  # type: ignore[misc]
                threads=self._threads,
            )
            by_diff_id = {layer.diff_id: layer for layer in fetched}
            layers = tuple(by_diff_id[layer.diff_id] for layer in image.layers)
            stored = image.replace(layers=layers, raw=image.raw)
            unpack_stack(self._store, layers)
            return self._keep(named, document, stored)

    # ---- which image ----

    def _named(self) -> Document:
        """The manifest or index that the reference names."""
        word = self._reference.digest or self._reference.tag or ""
        found = self._from_any(lambda repository: repository.manifest(word))
        if found is None:
            raise UnknownImageError(
                f"no image {self._reference.familiar!r} in {self._reference.registry}",
                fix="look at its name and tag; a private one needs: layerlab login "
                + self._reference.registry,
            )
        return found

    def _chosen(self, document: Document, platform: Platform) -> Document:
        """The manifest for ``platform``, through indexes if need be."""
        for _ in range(_MAX_INDEX_DEPTH):
            kind = document.descriptor.media_type
            if kind in MANIFEST_TYPES:
                return document
            where = self._where(document)
            if kind not in INDEX_TYPES:
                raise ImageFormatError(f"not an image: media type {kind!r:.200}", where=where)
            entry = choose(Index.parse(document.raw, where=where), platform, where=where)
            inner = self._from_any(lambda repository, entry=entry: repository.manifest(entry.digest))  # type: ignore[misc]
            if inner is None:
                raise RegistryError("a manifest that is referred to is not there", where=entry.digest)
            if inner.descriptor.size != entry.size:
                raise ImageFormatError(
                    f"the manifest has {inner.descriptor.size} bytes, the index says {entry.size}",
                    where=entry.digest,
                )
            if inner.descriptor.media_type != entry.media_type:
                raise ImageFormatError(
                    f"it is {inner.descriptor.media_type!r:.200}, the index says {entry.media_type!r:.200}",
                    where=entry.digest,
                )
            document = inner
        raise ImageFormatError("indexes lie too deep in each other", where=self._where(document))

    def _described(self, manifest: Manifest) -> Image:
        config = manifest.config
        require_image(manifest, where=self._reference.familiar)
        raw = self._from_any(lambda repository: repository.read(config))
        return Image.parse(raw, manifest.layers, where=f"config {config.digest[:19]}")

    def _where(self, document: Document) -> str:
        return f"{self._reference.familiar}, {document.descriptor.digest[:19]}"

    def _from_any(self, ask: Callable[[Repository], T]) -> T:
        """The first answer of those who may know; None counts as one only where nobody knows more."""
        *mirrors, last = self._repositories
        for repository in mirrors:
            try:
                found = ask(repository)
            except RegistryError:
                continue
            if found is not None:
                return found
        return ask(last)

    # ---- layers ----

    def _layer(self, layer: LayerBlob, stop: Stop) -> LayerBlob:
        digest, travelled = Digest(layer.diff_id), layer.descriptor
        known = self._store.find(digest)
        if known is not None:
            self._listener(TransferDone(layer.diff_id, "there", travelled.size))
            self._seen(layer, self._repositories[-1])
            return LayerBlob(Descriptor(MEDIA_LAYER, digest, known.size), layer.diff_id)

        def fetch(repository: Repository) -> Descriptor:
            return self._fetch(layer, repository, stop)

        self._listener(TransferBegan(layer.diff_id, travelled.size))
        stored = self._from_any(fetch)
        self._listener(TransferDone(layer.diff_id, "fetched", travelled.size))
        return LayerBlob(Descriptor(MEDIA_LAYER, digest, stored.size), layer.diff_id)

    def _fetch(self, layer: LayerBlob, repository: Repository, stop: Stop) -> Descriptor:
        where, digest = f"layer {layer.diff_id[:19]}", Digest(layer.diff_id)
        with closing(repository.blob(layer.descriptor, urls=layer.descriptor.urls)) as packed:
            unpacked = decompress(
                self._counted(layer, packed, stop),
                where=where,
                limits=self._limits,
            )
            stored = self._store.put(unpacked)
        if stored.digest != digest:
            raise ImageFormatError(
                f"the layer's bytes have the DiffID {stored.digest}, the config says {layer.diff_id}",
                where=where,
            )
        self._seen(layer, repository)
        return stored

    def _counted(self, layer: LayerBlob, content: Iterator[bytes], stop: Stop) -> Iterator[bytes]:
        count = 0
        for piece in content:
            stop.check()
            count += len(piece)
            self._listener(TransferMoved(layer.diff_id, count))
            yield piece

    def _seen(self, layer: LayerBlob, repository: Repository) -> None:
        form = Form(replace(layer.descriptor, annotations={}), repositories=(str(repository),))
        self._forms.seen(layer.diff_id, form)

    # ---- the end ----

    def _keep(self, named: Document, chosen: Document, image: Image) -> Pulled:
        """Store the documents and give the image its name."""
        self._store.put([image.config_bytes()])
        manifest = image.manifest()
        written = self._store.put([manifest.to_bytes()])
        local = Descriptor(manifest.media_type, written.digest, written.size, platform=image.platform)
        remember_origin(self._store, local.digest, chosen)
        self._store.tag(self._reference, local)
        return Pulled(named.descriptor.digest, local, image)


def remember_origin(store: RecordingStore, local: Digest, document: Document) -> None:
    """Keep the manifest that an image came with: its layers are stored otherwise, and so is its own."""
    kept = store.put([document.raw])
    store.remember(_origin_key(local), replace(kept, media_type=document.descriptor.media_type).document())


def origin(store: RecordingStore, local: Digest) -> Descriptor | None:
    """The manifest that an image came with, if it came from elsewhere and is still here."""
    record = store.recall(_origin_key(local))
    if record is None:
        return None
    found = Descriptor.of(record, where="the store's records")
    return found if store.find(found.digest) is not None else None


def _origin_key(local: Digest) -> str:
    return f"origin:{local}"
