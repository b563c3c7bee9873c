"""Images on their way in: from an OCI layout, an OCI archive, or what ``docker save`` writes.

Whatever arrives may be hostile. Nothing is extracted: files are looked up in an index of the archive, or
through directory descriptors, so no name leads anywhere else. Every digest is checked, every layer is
decompressed, compared with its DiffID and read once, before the image gets a name.
"""

from __future__ import annotations

import io
import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

from builder.errors import ImageFormatError
from builder.image.compression import Limits, decompress, pieces
from builder.image.digest import DiffID, Digest, digest_of, hex_of, short
from builder.image.image import BlobSource, Image, LayerBlob, choose, load_manifest, read_document
from builder.image.layout import INDEX_FILE, reference_of
from builder.image.layout import repository as repository
from builder.image.oci import (
    INDEX_TYPES,
    MAX_DOCUMENT_BYTES,
    MEDIA_LAYER,
    Descriptor,
    Index,
    Platform,
    parse_list,
    require_image,
)
from builder.image.reference import Reference, ReferenceFormatError
from builder.image.unpack import unpack_stack
from builder.image.verified import Verified
from builder.protocols import Store
from builder.transport.archive import WHAT_TO_LOAD, opened_archive
from builder.transport.layout import DirectorySource
from unionfs_sim.host.directory import HostDirectory

DOCKER_FILE: Final = "manifest.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image that arrived, and the names that it has now."""

    manifest: Descriptor
    image: Image
    references: tuple[Reference, ...]


class Source(Protocol):
    """The files of a layout or an archive."""

    def open(self, path: str, /) -> BinaryIO:
        """A file; FileNotFoundError if there is none."""
        ...


@contextmanager
def opened(path: str, *, stdin: BinaryIO | None = None, limits: Limits | None = None) -> Iterator[Source]:
    """The layout directory or archive at ``path``, compressed or plain; ``-`` is ``stdin``.

    ``limits``: what the archive itself may unpack to.
    """
    if path != "-" and os.path.isdir(path):
        with HostDirectory(path) as directory:
            yield DirectorySource(directory)
        return
    with opened_archive(path, stdin=stdin, limits=limits) as archive:
        yield archive


def load(
    store: Store,
    source: Source,
    *,
    called: str = "loaded",
    platform: Platform | None = None,
    limits: Limits | None = None,
) -> list[Loaded]:
    """Put all images of ``source`` into ``store`` and give them their names.

    Arguments and errors are those of ``arrived``; no new name if anything is broken.
    """
    loaded = arrived(store, source, called=called, platform=platform, limits=limits)
    for each in loaded:
        for reference in each.references:
            store.tag(reference, each.manifest)
    return loaded


def arrived(
    store: Store,
    source: Source,
    *,
    called: str = "loaded",
    platform: Platform | None = None,
    limits: Limits | None = None,
) -> list[Loaded]:
    """Put all images of ``source`` into ``store``, where nothing names them yet.

    ``called``: the repository of images that bear a tag only, or no name. ``platform``: which image of
    a multi-platform one; the first if None. ``limits``: what a layer may unpack to.
    ImageFormatError if anything is broken.
    """
    return _Arrivals(store, source, called, platform, limits).all()


def _read(source: Source, path: str) -> bytes | None:
    try:
        stream = source.open(path)
    except FileNotFoundError:
        return None
    with stream:
        return stream.read(MAX_DOCUMENT_BYTES + 1)


class _Arrivals:
    def __init__(
        self, store: Store, source: Source, called: str, platform: Platform | None, limits: Limits | None
    ) -> None:
        self._store = store
        self._called = called
        self._source = source
        self._platform = platform
        self._limits = limits

    def all(self) -> list[Loaded]:
        """The images of the source, from whichever of its two lists can be read.

        docker 25 wrote both, and an index that lists nothing, or wrong sizes, beside a sound manifest.json.
        """
        index, docker = _read(self._source, INDEX_FILE), _read(self._source, DOCKER_FILE)
        if index is None and docker is None:
            raise ImageFormatError(
                "neither an OCI layout (index.json) nor a docker archive (manifest.json)", fix=WHAT_TO_LOAD
            )
        loaded: list[Loaded] = []
        if index is not None:
            try:
                loaded = self.from_layout(Index.parse(index, where=INDEX_FILE), docker)
            except ImageFormatError:
                if docker is None:
                    raise
        if not loaded and docker is not None:
            loaded = self.from_docker(docker)
        if not loaded:
            raise ImageFormatError("it lists no image", where=INDEX_FILE, fix=WHAT_TO_LOAD)
        return loaded

    def from_layout(self, index: Index, docker: bytes | None) -> list[Loaded]:
        """The images that an OCI index lists, each once with all its names."""
        blobs = _LayoutBlobs(self._source)
        names: dict[Digest, list[Reference]] = {}
        chosen: dict[Digest, Descriptor] = {}
        entries = index.manifests
        if len(entries) > 1 and not any(entry.annotations for entry in entries):
            entries = (choose(index, self._platform, where=INDEX_FILE),)  # One image for many platforms.
        for entry in entries:
            chosen[entry.digest] = entry
            reference = reference_of(entry, called=self._called)
            names.setdefault(entry.digest, []).extend([reference] if reference else [])
        by_config = {hex_of(digest): tags for digest, tags in self._docker_names(docker)}
        loaded = []
        for digest, entry in chosen.items():
            manifest = load_manifest(blobs, entry, platform=self._platform if _is_index(entry) else None)
            require_image(manifest, where=f"manifest {entry.digest[:19]}")
            for descriptor in (entry, manifest.config, *manifest.layers):
                blobs.check_size(descriptor)
            known = by_config.get(hex_of(manifest.config.digest), [])
            raw = read_document(blobs, manifest.config.digest)
            image = Image.parse(raw, manifest.layers, where=f"config {manifest.config.digest[:19]}")
            loaded.append(self._accept(image, blobs, tuple(dict.fromkeys([*names[digest], *known]))))
        return loaded

    def _docker_names(self, docker: bytes | None) -> Iterator[tuple[str, list[Reference]]]:
        """What the manifest.json beside an OCI index calls the images, by the digest of their config."""
        for entry in parse_list(docker or b"[]", where=DOCKER_FILE):
            config = posixpath.basename(_path(entry, "Config"))
            yield f"sha256:{config.removesuffix('.json')}", _tags(entry)

    def from_docker(self, listed: bytes) -> list[Loaded]:
        """The images that a docker archive lists (moby ``image/tarexport``)."""
        loaded = []
        for entry in parse_list(listed, where=DOCKER_FILE):
            config_path = _path(entry, "Config")
            raw = _read(self._source, config_path)
            if raw is None:
                raise ImageFormatError(f"no such file: {config_path!r}", where=DOCKER_FILE)
            paths = _paths(entry, "Layers")
            descriptors = tuple(Descriptor(MEDIA_LAYER, digest_of(path.encode()), 0) for path in paths)
            image = Image.parse(raw, descriptors, where=config_path)
            blobs = _NamedBlobs(
                self._source, dict(zip((each.digest for each in descriptors), paths, strict=True))
            )
            loaded.append(self._accept(image, blobs, tuple(_tags(entry))))
        return loaded

    def _accept(self, image: Image, blobs: BlobSource, references: tuple[Reference, ...]) -> Loaded:
        """Store the image with its layers uncompressed; its config, thus its ID, stays as it is."""
        layers = tuple(self._accept_layer(layer, blobs) for layer in image.layers)
        stored = image.replace(layers=layers, raw=image.raw)
        unpack_stack(self._store, stored.layers)
        self._store.put([stored.config_bytes()])
        manifest = stored.manifest()
        written = self._store.put([manifest.to_bytes()])
        descriptor = Descriptor(manifest.media_type, written.digest, written.size, platform=image.platform)
        own = Reference.parse(f"{self._called}:{short(stored.id)}")
        return Loaded(descriptor, stored, references or (own,))

    def _accept_layer(self, layer: LayerBlob, blobs: BlobSource) -> LayerBlob:
        digest = Digest(layer.diff_id)
        where = f"layer {layer.diff_id[:19]}"
        with blobs.open(layer.descriptor.digest) as stream:
            stored = self._store.put(decompress(pieces(stream), where=where, limits=self._limits))
        if stored.digest != digest:
            raise ImageFormatError(
                f"the layer's bytes have the DiffID {stored.digest}, the config says {digest}", where=where
            )
        return LayerBlob(Descriptor(MEDIA_LAYER, digest, stored.size), DiffID(digest))


def _is_index(entry: Descriptor) -> bool:
    return entry.media_type in INDEX_TYPES


def _path(entry: Any, name: str) -> str:
    value = entry.get(name) if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value:
        raise ImageFormatError(f"every image needs {name!r}, the name of a file", where=DOCKER_FILE)
    return value


def _paths(entry: Any, name: str) -> Sequence[str]:
    value = entry.get(name) or []
    if not isinstance(value, list) or not all(isinstance(path, str) and path for path in value):
        raise ImageFormatError(f"{name!r} must be a list of files", where=DOCKER_FILE)
    return value


def _tags(entry: Any) -> list[Reference]:
    found = []
    for tag in _paths(entry, "RepoTags"):
        try:
            found.append(Reference.parse(tag))
        except ReferenceFormatError as error:
            raise ImageFormatError(error.what, where=DOCKER_FILE) from None
    return found


class _LayoutBlobs:
    """The blobs of an OCI layout, verified."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def open(self, digest: Digest, /) -> BinaryIO:
        """A blob; ImageFormatError if it is not there."""
        try:
            return Verified.over(self._source.open(f"blobs/sha256/{hex_of(digest)}"), digest)
        except FileNotFoundError:
            raise ImageFormatError("a blob that is referred to is not there", where=digest) from None

    def check_size(self, descriptor: Descriptor) -> None:
        """ImageFormatError if the blob has another size than its descriptor says."""
        with self.open(descriptor.digest) as blob:
            size = blob.seek(0, io.SEEK_END)
        if size != descriptor.size:
            what = f"the blob has {size} bytes, and its descriptor says {descriptor.size}"
            raise ImageFormatError(what, where=descriptor.digest)


class _NamedBlobs:
    """The layers of a docker archive, which have names; what they hold, the DiffIDs say."""

    def __init__(self, source: Source, paths: dict[Digest, str]) -> None:
        self._source = source
        self._paths = paths

    def open(self, digest: Digest, /) -> BinaryIO:
        """The layer under that name; ImageFormatError if it is not there."""
        path = self._paths[digest]
        try:
            return self._source.open(path)
        except FileNotFoundError:
            raise ImageFormatError(f"no such file: {path!r}", where=DOCKER_FILE) from None
