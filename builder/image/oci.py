"""The documents that tie an image together: descriptor, platform, manifest and index.

OCI image-spec descriptor.md, manifest.md, image-index.md. A parsed document keeps the bytes that it
was read from, because its digest is of those bytes and of no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from builder.errors import ImageFormatError
from builder.image.digest import Digest, parse_digest
from unionfs_sim.nodes.record import Record, field, replace

MEDIA_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
MEDIA_INDEX: Final = "application/vnd.oci.image.index.v1+json"
MEDIA_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
MEDIA_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
MEDIA_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
MEDIA_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
MEDIA_DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
MEDIA_DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
MEDIA_DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
MEDIA_DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
MEDIA_DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

MANIFEST_TYPES: Final = frozenset({MEDIA_MANIFEST, MEDIA_DOCKER_MANIFEST})
INDEX_TYPES: Final = frozenset({MEDIA_INDEX, MEDIA_DOCKER_LIST})
MEDIA_DOCKER_LAYER_ZSTD: Final = "application/vnd.docker.image.rootfs.diff.tar.zstd"
_FOREIGN: Final = "application/vnd.oci.image.layer.nondistributable.v1.tar"

FOREIGN_LAYER_TYPES: Final = frozenset(
    {
        _FOREIGN,
        f"{_FOREIGN}+gzip",
        f"{_FOREIGN}+zstd",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    }
)
"""Layers that registries must not hand on (OCI image-spec layer.md, "Non-Distributable Layers")."""

CONFIG_TYPES: Final = frozenset({MEDIA_CONFIG, MEDIA_DOCKER_CONFIG})
PLAIN_LAYER_TYPES: Final = frozenset({MEDIA_LAYER, MEDIA_DOCKER_LAYER, _FOREIGN})
LAYER_TYPES: Final = FOREIGN_LAYER_TYPES | {
    MEDIA_LAYER,
    MEDIA_LAYER_GZIP,
    MEDIA_LAYER_ZSTD,
    MEDIA_DOCKER_LAYER,
    MEDIA_DOCKER_LAYER_GZIP,
    MEDIA_DOCKER_LAYER_ZSTD,
}

ANNOTATION_REF_NAME: Final = "org.opencontainers.image.ref.name"
ANNOTATION_BASE_NAME: Final = "org.opencontainers.image.base.name"
ANNOTATION_BASE_DIGEST: Final = "org.opencontainers.image.base.digest"
ANNOTATION_REFERENCE_TYPE: Final = "vnd.docker.reference.type"
ANNOTATION_REFERENCE_DIGEST: Final = "vnd.docker.reference.digest"
ANNOTATION_CONTAINERD_NAME: Final = "io.containerd.image.name"

MAX_DOCUMENT_BYTES: Final = 4 * 1024 * 1024
"""No manifest, index or config is larger (the limit that registries and containerd hold)."""

_BOTH: Final = "it is a manifest and an index at once: what it means depends on who reads it"
# CVE-2021-41190: one digest must not be two images.

Document: TypeAlias = Mapping[str, Any]

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def canonical_json(document: object) -> bytes:
    """``document`` as UTF-8 JSON with sorted keys and no blanks: equal values give equal bytes."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "replace"
    )


def parse_json(raw: bytes, *, where: str) -> Document:
    """The JSON object in ``raw``; ImageFormatError if it is not one, or larger than a document may be."""
    document = _parsed(raw, where)
    if not isinstance(document, dict):
        raise ImageFormatError(f"a JSON object is needed, not {type(document).__name__}", where=where)
    return document


def parse_list(raw: bytes, *, where: str) -> list[Any]:
    """The JSON array in ``raw``; ImageFormatError if it is not one, or larger than a document may be."""
    document = _parsed(raw, where)
    if not isinstance(document, list):
        raise ImageFormatError(f"a JSON array is needed, not {type(document).__name__}", where=where)
    return document


def _parsed(raw: bytes, where: str) -> Any:
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise ImageFormatError(f"larger than {MAX_DOCUMENT_BYTES} bytes", where=where)
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ImageFormatError(f"not JSON: {error}", where=where) from None


def strings(document: Document, name: str, *, where: str) -> Mapping[str, str]:
    """The member ``name`` as a mapping of text to text; empty if absent or null."""
    value = document.get(name)
    if value is None:
        return _NOTHING
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ImageFormatError(f"{name!r} must map strings to strings", where=where)
    return MappingProxyType(value)


def text(document: Document, name: str, *, where: str) -> str:
    """The member ``name`` as text; "" if absent or null."""
    value = document.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ImageFormatError(f"{name!r} must be a string", where=where)
    return value


class Platform(Record):
    """What an image runs on (OCI image-spec image-index.md, "platform").

    >>> str(Platform.parse("linux/arm64/v8"))
    'linux/arm64/v8'
    """

    os: str = "linux"
    architecture: str = "amd64"
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))

    @classmethod
    def parse(cls, written: str) -> Platform:
        """The platform that ``os[/arch[/variant]]`` names; aliases such as ``x86_64`` are understood."""
        parts = written.lower().split("/")
        if not 1 <= len(parts) <= 3 or not all(parts):
            raise ImageFormatError(f"not a platform: {written!r}", fix="write it as linux/amd64")
        if len(parts) == 1:
            return cls(parts[0]) if parts[0] in ("linux", "windows") else cls("linux", *_alias(parts[0]))
        if len(parts) == 2:
            return cls(parts[0], *_alias(parts[1]))
        return cls(parts[0], _alias(parts[1])[0], parts[2])

    @classmethod
    def of(cls, document: Document, *, where: str) -> Platform:
        """The platform written in a JSON object."""
        return cls(
            text(document, "os", where=where),
            text(document, "architecture", where=where),
            text(document, "variant", where=where),
        )

    def document(self) -> dict[str, Any]:
        """The platform as a JSON object."""
        found = {"architecture": self.architecture, "os": self.os}
        return found | ({"variant": self.variant} if self.variant else {})


def _alias(architecture: str) -> tuple[str, str]:
    """Architecture and variant as Go spells them (containerd platforms, ``normalizeArch``)."""
    match architecture:
        case "x86_64" | "x86-64":
            return "amd64", ""
        case "aarch64":
            return "arm64", ""
        case "armhf":
            return "arm", "v7"
        case "armel":
            return "arm", "v6"
        case "i386":
            return "386", ""
    return architecture, ""


class Descriptor(Record):
    """A reference to bytes: what they are, their digest and their size (OCI image-spec descriptor.md).

    ``urls``: where else they may be had. ``artifact_type``: what the manifest that it refers to is about.
    """

    media_type: str
    digest: Digest
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    platform: Platform | None = None
    urls: tuple[str, ...] = ()
    artifact_type: str = ""

    @classmethod
    def of(cls, document: object, *, where: str) -> Descriptor:
        """The descriptor written in a JSON object; ImageFormatError if it is not one."""
        if not isinstance(document, dict):
            raise ImageFormatError("a descriptor must be a JSON object", where=where)
        size = document.get("size")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ImageFormatError(f"a descriptor needs a size in bytes, not {size!r:.50}", where=where)
        platform = document.get("platform")
        return cls(
            text(document, "mediaType", where=where),
            parse_digest(document.get("digest"), where=where),
            size,
            strings(document, "annotations", where=where),
            Platform.of(platform, where=where) if isinstance(platform, dict) else None,
            _urls(document, where=where),
            text(document, "artifactType", where=where),
        )

    def document(self) -> dict[str, Any]:
        """The descriptor as a JSON object."""
        found: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.urls:
            found["urls"] = list(self.urls)
        if self.artifact_type:
            found["artifactType"] = self.artifact_type
        if self.annotations:
            found["annotations"] = dict(self.annotations)
        if self.platform is not None:
            found["platform"] = self.platform.document()
        return found

    def annotated(self, **annotations: str) -> Descriptor:
        """The same descriptor with more annotations."""
        return replace(self, annotations=MappingProxyType({**self.annotations, **annotations}))


def _urls(document: Document, *, where: str) -> tuple[str, ...]:
    listed = document.get("urls") or []
    if not isinstance(listed, list) or not all(isinstance(url, str) for url in listed):
        raise ImageFormatError("'urls' must be a list of strings", where=where)
    return tuple(listed)


def _descriptors(document: Document, name: str, *, where: str) -> tuple[Descriptor, ...]:
    listed = document.get(name)
    if listed is None:
        return ()
    if not isinstance(listed, list):
        raise ImageFormatError(f"{name!r} must be a list of descriptors", where=where)
    return tuple(Descriptor.of(each, where=f"{where}, {name}[{at}]") for at, each in enumerate(listed))


class Manifest(Record):
    """One image for one platform: its config and its layers, base first (OCI image-spec manifest.md)."""

    config: Descriptor
    layers: tuple[Descriptor, ...]
    media_type: str = MEDIA_MANIFEST
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    raw: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, raw: bytes, *, where: str = "manifest") -> Manifest:
        """The manifest in ``raw``, which is kept; Docker's schema 2 is understood as well."""
        document = parse_json(raw, where=where)
        if document.get("schemaVersion") != 2:
            version = document.get("schemaVersion")
            raise ImageFormatError(f"schemaVersion must be 2, not {version!r:.50}", where=where)
        if document.get("manifests") is not None:
            raise ImageFormatError(_BOTH, where=where)
        if "config" not in document or "layers" not in document:
            raise ImageFormatError("a manifest needs 'config' and 'layers'", where=where)
        return cls(
            Descriptor.of(document["config"], where=f"{where}, config"),
            _descriptors(document, "layers", where=where),
            text(document, "mediaType", where=where) or MEDIA_MANIFEST,
            strings(document, "annotations", where=where),
            raw,
        )

    def to_bytes(self) -> bytes:
        """The bytes it was read from, or else canonical JSON."""
        if self.raw is not None:
            return self.raw
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": self.media_type,
            "config": self.config.document(),
            "layers": [layer.document() for layer in self.layers],
        }
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        return canonical_json(document)


def require_image(manifest: Manifest, *, where: str) -> None:
    """ImageFormatError unless config and layers are of types that an image has: artifacts are none."""
    if manifest.config.media_type not in CONFIG_TYPES:
        kind = manifest.config.media_type
        raise ImageFormatError(f"not an image but an artifact: its config is {kind!r:.200}", where=where)
    for layer in manifest.layers:
        if layer.media_type not in LAYER_TYPES:
            unknown = f"a layer has the unknown media type {layer.media_type!r:.200}"
            raise ImageFormatError(unknown, where=f"{where}, {layer.digest[:19]}")


class Index(Record):
    """A list of manifests, for platforms or by name (OCI image-spec image-index.md)."""

    manifests: tuple[Descriptor, ...]
    media_type: str = MEDIA_INDEX
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    raw: bytes | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, raw: bytes, *, where: str = "index") -> Index:
        """The index in ``raw``, which is kept; Docker's manifest list is understood as well."""
        document = parse_json(raw, where=where)
        if document.get("schemaVersion") != 2:
            version = document.get("schemaVersion")
            raise ImageFormatError(f"schemaVersion must be 2, not {version!r:.50}", where=where)
        if document.get("layers") is not None or document.get("config") is not None:
            raise ImageFormatError(_BOTH, where=where)
        return cls(
            _descriptors(document, "manifests", where=where),
            text(document, "mediaType", where=where) or MEDIA_INDEX,
            strings(document, "annotations", where=where),
            raw,
        )

    def to_bytes(self) -> bytes:
        """The bytes it was read from, or else canonical JSON."""
        if self.raw is not None:
            return self.raw
        document: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": self.media_type,
            "manifests": [each.document() for each in self.manifests],
        }
        if self.annotations:
            document["annotations"] = dict(self.annotations)
        return canonical_json(document)
