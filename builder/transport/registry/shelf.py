"""What a registry keeps: repositories of manifests, tags and referrers, in a store that knows none of them.

Names in the store: ``localhost/<repository>:<tag>`` and ``localhost/<repository>@<digest>``, so that a
manifest without a tag stays; what is about a manifest is listed under the tag that stands in for the API
elsewhere. All repositories share their blobs.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, Protocol

from builder.errors import BuildError, ImageFormatError
from builder.image.digest import Digest, digest_of
from builder.image.image import read_document
from builder.image.oci import (
    FOREIGN_LAYER_TYPES,
    INDEX_TYPES,
    MANIFEST_TYPES,
    MEDIA_INDEX,
    Descriptor,
    Document,
    Index,
    Manifest,
    parse_json,
    strings,
    text,
)
from builder.image.reference import Reference
from builder.transport.registry.pull import RecordingStore
from builder.transport.registry.repository import fallback_tag

REGISTRY: Final = "localhost"
_LISTS_REFERRERS: Final = re.compile(r"sha256-[0-9a-f]{64}")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


class TaggedStore(RecordingStore, Protocol):
    """A store that also lists its names and forgets them."""

    def tags(self) -> Mapping[Reference, Descriptor]:
        """All names and what they name."""
        ...

    def untag(self, reference: Reference) -> bool:
        """Forget a name; False if there was none."""
        ...


class Refusal(BuildError):
    """What a registry does not do. ``code``: of the specification; ``status``: of the answer."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Accepted:
    """A manifest that was stored, and what it says it is about."""

    descriptor: Descriptor
    subject: Digest | None


class Shelf:
    """The repositories in a store. Safe for threads."""

    def __init__(self, store: TaggedStore) -> None:
        self._store = store
        self._lock = threading.Lock()

    # ---- blobs ----

    def blob(self, digest: Digest) -> Descriptor:
        """A blob that is here; Refusal if it is not."""
        found = self._store.find(digest)
        if found is None:
            raise Refusal(404, "BLOB_UNKNOWN", f"no such blob: {digest}")
        return found

    def has(self, digest: Digest) -> bool:
        """Whether a blob is here."""
        return self._store.find(digest) is not None

    def open(self, digest: Digest) -> BinaryIO:
        """The bytes of a blob."""
        return self._store.open(digest)

    def put(self, content: Iterable[bytes]) -> Descriptor:
        """Keep a blob."""
        return self._store.put(content)

    # ---- manifests ----

    def manifest(self, name: str, reference: str) -> Descriptor:
        """What a tag or a digest of the repository names; Refusal if nothing."""
        found = self._store.resolve(_named(name, reference))
        if found is None:
            raise Refusal(404, "MANIFEST_UNKNOWN", f"no such manifest: {name}:{reference}")
        return found

    def put_manifest(self, name: str, reference: str, media_type: str, raw: bytes) -> Accepted:
        """Keep a manifest under its digest, and under a tag if ``reference`` is one."""
        digest = digest_of(raw)
        if reference.startswith("sha256:") and reference != digest:
            raise Refusal(400, "DIGEST_INVALID", f"the manifest has the digest {digest}")
        document, kind = _checked(raw, media_type)
        for blob in _needed(raw, kind):
            if not self.has(blob):
                raise Refusal(404, "MANIFEST_BLOB_UNKNOWN", f"it refers to a blob that is not here: {blob}")
        with self._lock:
            descriptor = replace(self._store.put([raw]), media_type=kind)
            self._store.tag(_named(name, digest), descriptor)
            if reference != digest:
                self._store.tag(_named(name, reference), descriptor)
            subject = _subject(document)
            if subject is not None:
                self._refer(name, subject, descriptor, document)
        return Accepted(descriptor, subject)

    def delete(self, name: str, reference: str) -> None:
        """Forget a tag, or a manifest with all its tags; Refusal if there is none."""
        with self._lock:
            found = self.manifest(name, reference)
            self._store.untag(_named(name, reference))
            if reference == found.digest:
                for known, descriptor in self._store.tags().items():
                    if known.repository == name and descriptor.digest == found.digest:
                        self._store.untag(known)

    # ---- lists ----

    def repositories(self) -> list[str]:
        """The names of all repositories, sorted."""
        return sorted({known.repository for known in self._store.tags()})

    def tags(self, name: str) -> list[str]:
        """The tags of a repository, sorted; Refusal if there is no such repository."""
        names = [known for known in self._store.tags() if known.repository == name]
        if not names:
            raise Refusal(404, "NAME_UNKNOWN", f"no such repository: {name}")
        return sorted(known.tag for known in names if known.tag and not _LISTS_REFERRERS.fullmatch(known.tag))

    def referrers(self, name: str, subject: Digest, artifact_type: str | None) -> Index:
        """What is about ``subject``; only that of one type if it is given."""
        return Index(
            tuple(
                each
                for each in self._referrers(name, subject)
                if (artifact_type is None or each.artifact_type == artifact_type)
                and self._store.resolve(_named(name, each.digest)) is not None
            )
        )

    def _referrers(self, name: str, subject: Digest) -> list[Descriptor]:
        listed = self._store.resolve(_named(name, fallback_tag(subject)))
        if listed is None:
            return []
        return list(Index.parse(read_document(self._store, listed.digest), where="referrers").manifests)

    def _refer(self, name: str, subject: Digest, manifest: Descriptor, document: Document) -> None:
        """List ``manifest`` among what is about ``subject`` (distribution-spec "Listing Referrers")."""
        config = document.get("config")
        kind = text(document, "artifactType", where="manifest") or (
            text(config, "mediaType", where="config") if isinstance(config, dict) else ""
        )
        described = replace(
            manifest, artifact_type=kind, annotations=strings(document, "annotations", where="manifest")
        )
        others = [each for each in self._referrers(name, subject) if each.digest != manifest.digest]
        listed = Index((*others, described)).to_bytes()
        stored = replace(self._store.put([listed]), media_type=MEDIA_INDEX)
        self._store.tag(_named(name, fallback_tag(subject)), stored)


def _named(name: str, reference: str) -> Reference:
    if reference.startswith("sha256:"):
        return Reference(REGISTRY, name, None, Digest(reference))
    if _TAG.fullmatch(reference) is None:
        raise Refusal(400, "TAG_INVALID", f"not a tag: {reference!r:.200}")
    return Reference(REGISTRY, name, reference)


def _checked(raw: bytes, media_type: str) -> tuple[Document, str]:
    """The document and its media type; Refusal unless it is what its sender says."""
    try:
        document = parse_json(raw, where="manifest")
        written = text(document, "mediaType", where="manifest") or media_type
    except ImageFormatError as error:
        raise Refusal(400, "MANIFEST_INVALID", error.what) from None
    if media_type and written != media_type:
        raise Refusal(400, "MANIFEST_INVALID", f"it is {written:.200}, not {media_type:.200}")
    if written not in MANIFEST_TYPES | INDEX_TYPES:
        raise Refusal(400, "MANIFEST_INVALID", f"unknown media type {written!r:.200}")
    return document, written


def _needed(raw: bytes, kind: str) -> list[Digest]:
    """The blobs that must be here before a manifest is."""
    try:
        if kind in INDEX_TYPES:
            return [entry.digest for entry in Index.parse(raw).manifests]
        manifest = Manifest.parse(raw)
    except ImageFormatError as error:
        raise Refusal(400, "MANIFEST_INVALID", error.what) from None
    own = [layer.digest for layer in manifest.layers if layer.media_type not in FOREIGN_LAYER_TYPES]
    return [manifest.config.digest, *own]


def _subject(document: Document) -> Digest | None:
    subject = document.get("subject")
    if subject is None:
        return None
    try:
        return Descriptor.of(subject, where="subject").digest
    except ImageFormatError as error:
        raise Refusal(400, "MANIFEST_INVALID", error.what) from None
