"""An image on its way from a store to a registry.

Layers go at the same time, compressed as they go. What the registry has already, here or in a repository that
it was seen in, is not sent again. The manifest goes last, so that a tag never names what is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from builder.attestation.statement import ARTIFACT_TYPE, Put, attested, image_in, predicates_of
from builder.errors import BuildError
from builder.events import Listener, TransferBegan, TransferDone, TransferMoved, nobody
from builder.image.compression import pieces
from builder.image.compressor import Compression, compress
from builder.image.digest import Digest, digest_of
from builder.image.image import Image, LayerBlob, load_manifest
from builder.image.oci import (
    FOREIGN_LAYER_TYPES,
    MEDIA_INDEX,
    MEDIA_MANIFEST,
    PLAIN_LAYER_TYPES,
    Descriptor,
    Manifest,
)
from builder.image.reference import Reference
from builder.transport.forms import Form, Forms
from builder.transport.registry.pull import THREADS, RecordingStore, origin
from builder.transport.registry.repository import Registries, Repository
from builder.transport.together import Stop, together


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image that arrived. ``digest``: what the registry knows it by; ``size``: of all blobs, in bytes."""

    digest: Digest
    size: int


def push(
    store: RecordingStore,
    registries: Registries,
    manifest: Descriptor,
    target: Reference,
    *,
    compression: Compression | None = None,
    threads: int = THREADS,
    listener: Listener = nobody,
) -> Pushed:
    """Send the image at ``manifest`` in ``store`` to where ``target`` names, under its tag.

    ``compression``: how every layer is compressed; None: as it came, if it came from elsewhere, else gzip.
    """
    if target.tag is None:
        raise BuildError(f"cannot push to {target.familiar}: a digest is no tag", fix="write NAME:TAG")
    repository = registries.to_push(target.registry, target.repository)
    pushing = _Push(store, repository, compression, threads, listener, target.familiar_name)
    return pushing.run(manifest, target.tag)


class _Push:
    def __init__(
        self,
        store: RecordingStore,
        repository: Repository,
        compression: Compression | None,
        threads: int,
        listener: Listener,
        name: str,
    ) -> None:
        self._store = store
        self._name = name
        self._repository = repository
        self._asked = compression
        self._threads = threads
        self._listener = listener
        self._forms = Forms(store)

    def run(self, descriptor: Descriptor, tag: str) -> Pushed:
        with self._store.lease():
            image = Image.load(self._store, image_in(self._store, descriptor))
            distinct = list({layer.diff_id: layer for layer in image.layers}.values())
            sent = together(
                [lambda stop, layer=layer: self._layer(layer, stop) for layer in distinct],  # type: ignore[misc]
                threads=self._threads,
            )
            by_diff_id = {layer.diff_id: form for layer, form in zip(distinct, sent, strict=True)}
            layers = tuple(by_diff_id[layer.diff_id] for layer in image.layers)
            manifest = self._manifest(image_in(self._store, descriptor), image, layers)
            self._document(image.config_bytes())
            digest = self._name_it(descriptor, manifest, image, tag)
            return Pushed(digest, sum(blob.size for blob in (manifest.config, *layers)))

    def _name_it(self, descriptor: Descriptor, manifest: Manifest, image: Image, tag: str) -> Digest:
        """Put the manifest under the tag; if something is said about the image, an index with both."""
        predicates = predicates_of(self._store, descriptor)
        raw = manifest.to_bytes()
        digest = digest_of(raw)
        if not predicates:
            self._repository.put_manifest(tag, manifest.media_type, raw)
            return digest
        self._repository.put_manifest(digest, manifest.media_type, raw)
        sent = Descriptor(manifest.media_type, digest, len(raw), platform=image.platform)
        listed = attested(sent, predicates, self._name, self._put_about(sent)).to_bytes()
        self._repository.put_manifest(tag, MEDIA_INDEX, listed)
        return digest_of(listed)

    def _put_about(self, image: Descriptor) -> Put:
        """Puts a statement as a blob, and the manifest that ties it to ``image`` as a referrer."""

        def put(content: bytes, media_type: str) -> Descriptor:
            if media_type == MEDIA_MANIFEST:
                self._repository.put_referrer(content, ARTIFACT_TYPE, subject=image.digest)
            else:
                self._document(content)
            return Descriptor(media_type, digest_of(content), len(content))

        return put

    def _manifest(self, descriptor: Descriptor, image: Image, layers: Sequence[Descriptor]) -> Manifest:
        """The one that the image came with, if the layers are what it says; else a new one."""
        came_with = origin(self._store, descriptor.digest)
        if came_with is not None:
            known = load_manifest(self._store, came_with)
            same = [layer.digest for layer in known.layers] == [layer.digest for layer in layers]
            if same and known.config.digest == image.id:
                return known
        return Manifest(image.manifest().config, tuple(layers))

    def _document(self, content: bytes) -> None:
        if not self._repository.has_blob(digest_of(content)):
            self._repository.upload(lambda: iter([content]))

    # ---- layers ----

    def _layer(self, layer: LayerBlob, stop: Stop) -> Descriptor:
        form, how = self._there(layer) or (self._send(layer, stop), "sent")
        self._forms.seen(layer.diff_id, replace(form, repositories=(str(self._repository),)))
        self._listener(TransferDone(layer.diff_id, how, form.descriptor.size))
        return form.descriptor

    def _there(self, layer: LayerBlob) -> tuple[Form, str] | None:
        """A form of the layer that the registry has already, here or elsewhere; None if it has none."""
        forms = [form for form in self._forms.of(layer.diff_id) if self._is_as_asked(form)]
        for form in forms:
            if form.descriptor.media_type in FOREIGN_LAYER_TYPES and form.descriptor.urls:
                return form, "foreign"
            if self._repository.has_blob(form.descriptor.digest):
                return form, "there"
        host = f"{self._repository.registry}/"
        for form in forms:
            for place in form.repositories:
                name = place.removeprefix(host)
                elsewhere = place.startswith(host) and name != self._repository.name
                if elsewhere and self._repository.mount(form.descriptor.digest, name):
                    return form, "mounted"
        return None

    def _is_as_asked(self, form: Form) -> bool:
        if self._asked is not None:
            return form.compression == str(self._asked)
        # As it came from elsewhere, else as every machine would send it: whatever was asked for before.
        return form.compression in ("", str(Compression()))

    def _send(self, layer: LayerBlob, stop: Stop) -> Form:
        self._listener(TransferBegan(layer.diff_id, layer.descriptor.size))
        if layer.descriptor.media_type not in PLAIN_LAYER_TYPES:
            # A layout that somebody else wrote holds it compressed: it leaves as it is.
            self._repository.upload(lambda: self._read(layer, stop))
            return Form(layer.descriptor)
        compression = self._asked or Compression()
        sent = self._repository.upload(lambda: compress(self._read(layer, stop), compression))
        return Form(replace(sent, media_type=compression.media_type), str(compression))

    def _read(self, layer: LayerBlob, stop: Stop) -> Iterator[bytes]:
        count = 0
        with self._store.open(layer.descriptor.digest) as stream:
            for piece in pieces(stream):
                stop.check()
                count += len(piece)
                self._listener(TransferMoved(layer.diff_id, count))
                yield piece
