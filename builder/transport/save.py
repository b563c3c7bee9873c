"""Images on their way out: to an OCI layout, an archive for docker, or a tree of files.

OCI image-spec image-layout.md; the ``manifest.json`` beside it is what ``docker load`` reads. Layers are
compressed here, once each. Equal images under equal names give equal bytes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Protocol

from builder.attestation.statement import attested, image_in, predicates_of
from builder.errors import NotSupportedError
from builder.image.compression import pieces
from builder.image.compressor import Compression, compress
from builder.image.digest import Digest, digest_of, hex_of
from builder.image.image import BlobSource, Image
from builder.image.layout import INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION, read_index, require_layout
from builder.image.oci import (
    ANNOTATION_CONTAINERD_NAME,
    ANNOTATION_REF_NAME,
    MEDIA_LAYER,
    Descriptor,
    Index,
    Manifest,
    canonical_json,
)
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.image.verified import OCTETS
from builder.protocols import Store
from builder.transport.archive import TarSink, new_file
from builder.transport.directory import new_directory, write_tree
from builder.transport.layout import DirectorySink
from builder.transport.output import STDOUT, Output, OutputKind
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

_SPOOL_BYTES: Final = 1 << 20


class Sink(Protocol):
    """Takes the files of an image layout, one after another."""

    def add(self, path: str, size: int, content: Iterable[bytes], /) -> None:
        """Write one file; directories that lead to it are made."""
        ...


@dataclass(frozen=True, slots=True)
class Named:
    """An image in a store, and the names that it leaves under."""

    manifest: Descriptor
    references: tuple[Reference, ...] = ()


def export(store: Store, images: Sequence[Named], output: Output, *, stdout: BinaryIO | None = None) -> None:
    """Write ``images`` where ``output`` says; StoreError if something that is not ours is there.

    ``stdout``: what the destination ``-`` means.
    """
    match output.kind:
        case OutputKind.LOCAL:
            tree = merged(_layers(store, images))
            write_tree(tree, predicates_of(store, images[0].manifest), output.dest)
        case OutputKind.TAR:
            with ExitStack() as stack:
                stream = _stream(output, stdout, stack)
                stream.writelines(pack(merged(_layers(store, images))))
        case _ if output.as_directory:
            _export_layout(store, images, output.dest, output.compression)
        case _:
            with ExitStack() as stack:
                sink = TarSink(_stream(output, stdout, stack))
                _write(
                    store,
                    images,
                    sink,
                    for_docker=output.kind is OutputKind.DOCKER,
                    compression=output.compression,
                )
                sink.finish()


def _stream(output: Output, stdout: BinaryIO | None, stack: ExitStack) -> BinaryIO:
    if output.dest == STDOUT and stdout is not None:
        return stdout
    return stack.enter_context(new_file(output.dest))


def _layers(store: Store, images: Sequence[Named]) -> list[Layer]:
    if len(images) != 1:
        raise NotSupportedError("only one image can become a tree of files", fix="name one image")
    return unpack_stack(store, Image.load(store, images[0].manifest).layers)


def _export_layout(store: Store, images: Sequence[Named], path: str, compression: Compression) -> None:
    """Make a layout, or add to the one that is there: its index is replaced last."""
    known = read_index(path)
    if known is None:
        with new_directory(path) as temporary:
            _write(store, images, DirectorySink(temporary), for_docker=False, compression=compression)
        return
    require_layout(path)
    _write(store, images, DirectorySink(path), for_docker=False, compression=compression, known=known)


def _write(
    store: Store,
    images: Sequence[Named],
    sink: Sink,
    *,
    for_docker: bool,
    compression: Compression,
    known: Sequence[Descriptor] = (),
) -> None:
    outbox = _Outbox(store, sink, compression)
    entries: list[Descriptor] = []
    for_load = []
    for image in images:
        manifest, leaving = outbox.send(image.manifest, _title(image))
        entries += _index_entries(leaving, image.references)
        for_load.append(
            {
                "Config": _blob_path(manifest.config.digest),
                "Layers": [_blob_path(layer.digest) for layer in manifest.layers],
                "RepoTags": [reference.familiar for reference in image.references if reference.tag],
            }
        )
    names = {_name(entry) for entry in entries}
    kept = [entry for entry in known if _name(entry) not in names]
    if for_docker:
        _add(sink, "manifest.json", canonical_json(for_load))
    _add(sink, LAYOUT_FILE, LAYOUT_VERSION)
    _add(sink, INDEX_FILE, Index((*kept, *entries)).to_bytes())


def _name(entry: Descriptor) -> str:
    """What an entry of an index is replaced by: another of the same name."""
    return entry.annotations.get(ANNOTATION_CONTAINERD_NAME, entry.digest)


def _title(image: Named) -> str:
    """What statements call an image."""
    return image.references[0].familiar_name if image.references else "image"


def _index_entries(manifest: Descriptor, references: Iterable[Reference]) -> list[Descriptor]:
    """As buildx writes them: the tag for OCI's readers, the whole name for containerd's."""
    bare = replace(manifest, annotations={})
    return [
        bare.annotated(
            **{
                ANNOTATION_CONTAINERD_NAME: str(reference),
                ANNOTATION_REF_NAME: reference.tag or str(reference),
            }
        )
        for reference in references
    ] or [bare]


def _blob_path(digest: Digest) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def _add(sink: Sink, path: str, content: bytes) -> None:
    sink.add(path, len(content), [content])


class _Outbox:
    """Sends blobs, each once, layers compressed."""

    def __init__(self, store: BlobSource, sink: Sink, compression: Compression) -> None:
        self._store = store
        self._compression = compression
        self._sink = sink
        self._sent: set[Digest] = set()
        self._compressed: dict[Digest, Descriptor] = {}

    def send(self, descriptor: Descriptor, name: str) -> tuple[Manifest, Descriptor]:
        """Send an image; its manifest as it left, and what names it: that, or an index with attestations."""
        predicates = predicates_of(self._store, descriptor)
        image = Image.load(self._store, image_in(self._store, descriptor))
        layers = tuple(self._send_layer(layer.descriptor) for layer in image.layers)
        self._send(self._document(image.config_bytes()))
        manifest = Manifest(image.manifest().config, layers)
        sent = self._send(self._document(manifest.to_bytes()))
        leaving = Descriptor(manifest.media_type, sent.digest, sent.size, platform=image.platform)
        if not predicates:
            return manifest, leaving
        index = attested(leaving, predicates, name, lambda content, _: self._send(self._document(content)))
        listed = self._send(self._document(index.to_bytes()))
        return manifest, Descriptor(index.media_type, listed.digest, listed.size)

    def _document(self, content: bytes) -> tuple[Descriptor, Iterator[bytes]]:
        return Descriptor(OCTETS, digest_of(content), len(content)), iter([content])

    def _send(self, blob: tuple[Descriptor, Iterable[bytes]]) -> Descriptor:
        descriptor, content = blob
        if descriptor.digest not in self._sent:
            self._sent.add(descriptor.digest)
            self._sink.add(_blob_path(descriptor.digest), descriptor.size, content)
        return descriptor

    def _send_layer(self, layer: Descriptor) -> Descriptor:
        if layer.media_type != MEDIA_LAYER:
            with self._store.open(layer.digest) as stream:
                return self._send((layer, pieces(stream)))
        if layer.digest not in self._compressed:
            self._compressed[layer.digest] = self._compress(layer.digest)
        return self._compressed[layer.digest]

    def _compress(self, digest: Digest) -> Descriptor:
        """Compress into a file first: a tar must know the size and the name before the bytes."""
        with self._store.open(digest) as stream, tempfile.SpooledTemporaryFile(_SPOOL_BYTES) as spool:
            hasher, size = hashlib.sha256(), 0
            for piece in compress(pieces(stream), self._compression):
                hasher.update(piece)
                size += spool.write(piece)
            spool.seek(0)
            descriptor = Descriptor(
                self._compression.media_type, Digest("sha256:" + hasher.hexdigest()), size
            )
            return self._send((descriptor, iter(lambda: spool.read(_SPOOL_BYTES), b"")))
