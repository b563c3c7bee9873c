"""An image: a configuration and a stack of layers. Changing an image returns a new one.

OCI image-spec config.md ("Properties") and manifest.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, BinaryIO, Final, Protocol

from builder.errors import ImageFormatError
from builder.image.config import DEFAULT_SHELL as DEFAULT_SHELL
from builder.image.config import Healthcheck as Healthcheck
from builder.image.config import ImageConfig as ImageConfig
from builder.image.digest import ChainID, DiffID, Digest, chain_id, digest_of, parse_digest
from builder.image.oci import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    MAX_DOCUMENT_BYTES,
    MEDIA_CONFIG,
    Descriptor,
    Document,
    Index,
    Manifest,
    Platform,
    canonical_json,
    parse_json,
    text,
)
from unionfs_sim.nodes.record import Record, field, replace

_DESCRIBED: Final = ("created", "author", "architecture", "os", "variant", "config", "rootfs", "history")
_DOCKER_MEMORY: Final = ("container", "container_config", "docker_version", "id", "parent")
"""What Docker remembers of the container that it committed: it says nothing of the image."""
_KNOWN: Final = frozenset([*_DESCRIBED, *_DOCKER_MEMORY])
_MAX_INDEX_DEPTH: Final = 4
SCALED: Final = "scale 1:"
"""How the comment of a history entry begins whose layer is smaller than the real one; the number follows."""


class BlobSource(Protocol):
    """Whatever blobs can be read from: every store is one."""

    def open(self, digest: Digest, /) -> BinaryIO:
        """The bytes of a blob."""
        ...


def rfc3339(seconds: int) -> str:
    """A time as image documents write it.

    >>> rfc3339(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class History(Record):
    """How one layer, or one change of configuration, came to be (OCI image-spec config.md, "history")."""

    created: str | None = None
    created_by: str = ""
    comment: str = ""
    empty_layer: bool = False
    author: str = ""

    def document(self) -> dict[str, Any]:
        """The JSON object, without what is empty."""
        fields: dict[str, Any] = {
            "created": self.created,
            "created_by": self.created_by,
            "author": self.author,
            "comment": self.comment,
            "empty_layer": self.empty_layer,
        }
        return {name: value for name, value in fields.items() if value}

    @classmethod
    def of(cls, document: object, *, where: str) -> History:
        """The history entry written in a JSON object."""
        if not isinstance(document, dict):
            raise ImageFormatError("a history entry must be a JSON object", where=where)
        return cls(
            text(document, "created", where=where) or None,
            text(document, "created_by", where=where),
            text(document, "comment", where=where),
            document.get("empty_layer") is True,
            text(document, "author", where=where),
        )


class LayerBlob(Record):
    """A layer as it is stored: ``descriptor`` of the stored bytes, ``diff_id`` of the uncompressed tar."""

    descriptor: Descriptor
    diff_id: DiffID


class Image(Record):
    """A configuration and layers, base first. ``Image()`` is ``FROM scratch``.

    ``raw`` holds the bytes that the image's config was read from, as long as nothing was changed.
    """

    config: ImageConfig = field(default_factory=ImageConfig)
    layers: tuple[LayerBlob, ...] = ()
    history: tuple[History, ...] = ()
    platform: Platform = field(default_factory=Platform)
    created: str | None = None
    author: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = field(default=None, compare=False, repr=False)

    def append(self, layer: LayerBlob | None, history: History) -> Image:
        """The image with one more step: a ``layer`` on top, or none for a change of configuration."""
        layers = self.layers if layer is None else (*self.layers, layer)
        entry = replace(history, empty_layer=layer is None)
        return self.replace(layers=layers, history=(*self.history, entry))

    def _repr_html_(self) -> str:
        """The image in a notebook: a row for each step, with its layer if it has one."""
        from unionfs_sim.vfs.showing import table  # a known build loads nothing of the union

        layers = iter(self.layers)
        steps = [(entry, None if entry.empty_layer else next(layers, None)) for entry in self.history]
        steps += [(History(), layer) for layer in layers]
        rows = (
            (entry.created_by, layer.diff_id if layer else "", f"{layer.descriptor.size:,}" if layer else "")
            for entry, layer in steps
        )
        return f"<p>{self.platform}</p>" + table(("made by", "diff_id", "bytes"), rows)

    def replace(self, **changes: Any) -> Image:
        """The image with other fields; the bytes that it was read from no longer describe it."""
        return replace(self, **{"raw": None, **changes})

    def with_sound_history(self) -> Image:
        """The image with a history entry for every layer, as a config must have (``validate`` says so).

        Entries that lack are added; a history with too many layers says nothing true, and is begun anew
        (BuildKit ``writer.go``, ``normalizeLayersAndHistory``).
        """
        told = sum(not entry.empty_layer for entry in self.history)
        if not self.history or told == len(self.layers):
            return self
        kept = self.history if told < len(self.layers) else ()
        missing = len(self.layers) - (told if kept else 0)
        unknown = History(self.created, comment="the image does not say what made this layer")
        return self.replace(history=(*kept, *(unknown for _ in range(missing))))

    def steps(self) -> Iterator[tuple[History, LayerBlob | None]]:
        """Every step of the history with its layer, oldest first; what the history leaves out is empty."""
        layers = iter(self.layers)
        for entry in self.history:
            yield entry, None if entry.empty_layer else next(layers, None)
        for layer in layers:
            yield History(), layer

    @property
    def diff_ids(self) -> tuple[DiffID, ...]:
        """The DiffIDs of the layers, base first."""
        return tuple(layer.diff_id for layer in self.layers)

    @property
    def chain_id(self) -> ChainID | None:
        """The name of the whole stack of layers; None without layers."""
        return chain_id(self.diff_ids)

    @property
    def id(self) -> Digest:
        """The digest of the config, which docker calls the image's ID."""
        return digest_of(self.config_bytes())

    @property
    def scale(self) -> int:
        """How many bytes of the real image one byte of its base stands for: 1, but for embedded bases."""
        comments = (entry.comment for entry in self.history)
        found = (each.removeprefix(SCALED) for each in comments if each.startswith(SCALED))
        return max((int(number) for number in found if number.isascii() and number.isdigit()), default=1)

    @property
    def size(self) -> int:
        """The sum of the layers' sizes as stored, in bytes."""
        return sum(layer.descriptor.size for layer in self.layers)

    def config_bytes(self) -> bytes:
        """The config document: the bytes it was read from, or else canonical JSON."""
        if self.raw is not None:
            return self.raw
        document: dict[str, Any] = {
            **self.extra,
            **self.platform.document(),
            "config": self.config.document(),
            "rootfs": {"type": "layers", "diff_ids": list(self.diff_ids)},
            "history": [entry.document() for entry in self.history],
        }
        if self.created:
            document["created"] = self.created
        if self.author:
            document["author"] = self.author
        return canonical_json(document)

    def manifest(self) -> Manifest:
        """The manifest that ties ``config_bytes()`` to the layers as they are stored."""
        raw = self.config_bytes()
        config = Descriptor(MEDIA_CONFIG, digest_of(raw), len(raw))
        return Manifest(config, tuple(layer.descriptor for layer in self.layers))

    @classmethod
    def parse(cls, raw: bytes, layers: tuple[Descriptor, ...], *, where: str = "config") -> Image:
        """The image that a config document and the manifest's ``layers`` describe."""
        document = parse_json(raw, where=where)
        diff_ids = _diff_ids(document, where=where)
        if len(diff_ids) != len(layers):
            raise ImageFormatError(
                f"the config lists {len(diff_ids)} layers, the manifest {len(layers)}", where=where
            )
        config = document.get("config")
        config = {} if config is None else config
        if not isinstance(config, dict):
            raise ImageFormatError("'config' must be a JSON object", where=where)
        return cls(
            ImageConfig.of(config, where=where),
            tuple(map(LayerBlob, layers, diff_ids)),
            _history(document, where=where),
            Platform.of(document, where=where),
            text(document, "created", where=where) or None,
            text(document, "author", where=where),
            MappingProxyType({name: value for name, value in document.items() if name not in _KNOWN}),
            raw,
        )

    @classmethod
    def load(cls, store: BlobSource, descriptor: Descriptor, *, platform: Platform | None = None) -> Image:
        """The image behind ``descriptor``: a manifest, or an index with one for ``platform``."""
        manifest = load_manifest(store, descriptor, platform=platform)
        raw = read_document(store, manifest.config.digest)
        return cls.parse(raw, manifest.layers, where=f"config {manifest.config.digest}")


def read_document(store: BlobSource, digest: Digest) -> bytes:
    """A manifest, index or config from ``store``; ImageFormatError if it is larger than one can be."""
    with store.open(digest) as stream:
        raw = stream.read(MAX_DOCUMENT_BYTES + 1)
        if len(raw) > MAX_DOCUMENT_BYTES:
            raise ImageFormatError(f"larger than {MAX_DOCUMENT_BYTES} bytes", where=digest)
        stream.read(1)  # The end is where a store verifies the digest.
    return raw


def load_manifest(store: BlobSource, descriptor: Descriptor, *, platform: Platform | None = None) -> Manifest:
    """The manifest at ``descriptor``, through indexes if need be; the first one if ``platform`` is None."""
    where = f"manifest {descriptor.digest}"
    for _ in range(_MAX_INDEX_DEPTH):
        raw = read_document(store, descriptor.digest)
        if descriptor.media_type in MANIFEST_TYPES:
            return Manifest.parse(raw, where=where)
        if descriptor.media_type not in INDEX_TYPES:
            raise ImageFormatError(f"not an image: media type {descriptor.media_type!r:.200}", where=where)
        descriptor = choose(Index.parse(raw, where=where), platform, where=where)
    raise ImageFormatError("indexes lie too deep in each other", where=where)


def choose(index: Index, platform: Platform | None, *, where: str) -> Descriptor:
    """The entry of ``index`` for ``platform``; the first image if None."""
    images = [each for each in index.manifests if each.media_type in MANIFEST_TYPES | INDEX_TYPES]
    fitting = [
        each for each in images if platform is None or each.platform is None or _fits(each.platform, platform)
    ]
    if fitting:
        return fitting[0]
    offered = ", ".join(str(each.platform) for each in images) or "none"
    raise ImageFormatError(f"no image for {platform}", where=where, fix=f"it holds: {offered}")


def _fits(offered: Platform, asked: Platform) -> bool:
    same = (offered.os, offered.architecture) == (asked.os, asked.architecture)
    return same and (not asked.variant or offered.variant in ("", asked.variant))


def _diff_ids(document: Document, *, where: str) -> tuple[DiffID, ...]:
    rootfs = document.get("rootfs")
    listed = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if listed is None and isinstance(rootfs, dict):
        listed = []  # Go writes an empty list as null.
    if not isinstance(listed, list):
        raise ImageFormatError("'rootfs.diff_ids' must be a list", where=where)
    return tuple(DiffID(parse_digest(each, where=where)) for each in listed)


def _history(document: Document, *, where: str) -> tuple[History, ...]:
    listed = document.get("history")
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise ImageFormatError("'history' must be a list", where=where)
    return tuple(History.of(each, where=f"{where}, history[{at}]") for at, each in enumerate(listed))
