"""In-toto statements about an image, and the manifest and index that tie them to it.

in-toto attestation ``spec/v1/statement.md``; BuildKit ``docs/attestations/attestation-storage.md``: the tag
names an index with the image and, for its platform, a manifest that has one layer for each statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from builder.errors import ImageFormatError
from builder.image.digest import Digest, digest_of, hex_of
from builder.image.image import BlobSource, read_document
from builder.image.oci import (
    ANNOTATION_REFERENCE_DIGEST,
    ANNOTATION_REFERENCE_TYPE,
    INDEX_TYPES,
    MANIFEST_TYPES,
    MEDIA_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    Platform,
    canonical_json,
    parse_json,
    text,
)

STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
MEDIA_STATEMENT: Final = "application/vnd.in-toto+json"
MEDIA_EMPTY: Final = "application/vnd.oci.empty.v1+json"
ARTIFACT_TYPE: Final = "application/vnd.docker.attestation.manifest.v1+json"
ANNOTATION_PREDICATE: Final = "in-toto.io/predicate-type"
ATTESTATION: Final = "attestation-manifest"
NOBODY: Final = Platform("unknown", "unknown")
"""The platform of a manifest that no machine runs."""

_EMPTY: Final = b"{}"

Put = Callable[[bytes, str], Descriptor]
"""Keeps a document of a media type; its digest and size."""


@dataclass(frozen=True, slots=True)
class Predicate:
    """What is said. ``type``: the address that says how to read ``content``."""

    type: str
    content: Mapping[str, Any]


def attested(image: Descriptor, predicates: Sequence[Predicate], name: str, put: Put) -> Index:
    """The index of an image and of what is said about it; every document but that index was kept by ``put``.

    ``image``: the manifest that it is said of, as it is where the index goes. ``name``: what the image is
    called in the statements.
    """
    subject = {"name": name, "digest": {"sha256": hex_of(image.digest)}}
    layers = []
    for predicate in predicates:
        statement = {
            "_type": STATEMENT_TYPE,
            "predicateType": predicate.type,
            "subject": [subject],
            "predicate": predicate.content,
        }
        kept = put(canonical_json(statement), MEDIA_STATEMENT)
        layers.append(
            {
                "mediaType": MEDIA_STATEMENT,
                "digest": kept.digest,
                "size": kept.size,
                "annotations": {ANNOTATION_PREDICATE: predicate.type},
            }
        )
    put(_EMPTY, MEDIA_EMPTY)
    empty = {"mediaType": MEDIA_EMPTY, "digest": digest_of(_EMPTY), "size": len(_EMPTY), "data": "e30="}
    about = {"mediaType": image.media_type, "digest": image.digest, "size": image.size}
    document = {
        "schemaVersion": 2,
        "mediaType": MEDIA_MANIFEST,
        "artifactType": ARTIFACT_TYPE,
        "config": empty,
        "layers": layers,
        "subject": about,
    }
    raw = canonical_json(document)
    kept = put(raw, MEDIA_MANIFEST)
    entry = Descriptor(
        MEDIA_MANIFEST,
        kept.digest,
        kept.size,
        {ANNOTATION_REFERENCE_TYPE: ATTESTATION, ANNOTATION_REFERENCE_DIGEST: image.digest},
        NOBODY,
    )
    bare = Descriptor(image.media_type, image.digest, image.size, platform=image.platform)
    return Index((bare, entry))


def predicates_of(store: BlobSource, descriptor: Descriptor) -> list[Predicate]:
    """What is said about the first image of an index; nothing if it is none, or nothing is said."""
    if descriptor.media_type not in INDEX_TYPES:
        return []
    index = Index.parse(read_document(store, descriptor.digest), where=descriptor.digest)
    image = next((each for each in index.manifests if not is_attestation(each)), None)
    found = []
    for entry in index.manifests:
        if image is None or not is_attestation(entry):
            continue
        if entry.annotations.get(ANNOTATION_REFERENCE_DIGEST) == image.digest:
            manifest = Manifest.parse(read_document(store, entry.digest), where=entry.digest)
            found += [
                _predicate(store, layer) for layer in manifest.layers if layer.media_type == MEDIA_STATEMENT
            ]
    return found


def image_in(store: BlobSource, descriptor: Descriptor) -> Descriptor:
    """The manifest of the image in an index with attestations; ``descriptor`` itself if it is no index."""
    if descriptor.media_type not in INDEX_TYPES:
        return descriptor
    index = Index.parse(read_document(store, descriptor.digest), where=descriptor.digest)
    for entry in index.manifests:
        if entry.media_type in MANIFEST_TYPES and not is_attestation(entry):
            return entry
    raise ImageFormatError("there is no image in the index", where=descriptor.digest)


def is_attestation(entry: Descriptor) -> bool:
    """Whether an entry of an index says something about another one."""
    return entry.annotations.get(ANNOTATION_REFERENCE_TYPE) == ATTESTATION


def _predicate(store: BlobSource, layer: Descriptor) -> Predicate:
    where = f"statement {layer.digest[:19]}"
    statement = parse_json(read_document(store, Digest(layer.digest)), where=where)
    content = statement.get("predicate")
    if text(statement, "_type", where=where) not in (STATEMENT_TYPE, "https://in-toto.io/Statement/v0.1"):
        raise ImageFormatError("not an in-toto statement", where=where)
    if not isinstance(content, dict):
        raise ImageFormatError("a statement needs a 'predicate'", where=where)
    return Predicate(text(statement, "predicateType", where=where), content)
