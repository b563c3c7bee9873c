"""Finds the image that a word on the command line means: by name, or by the beginning of its ID."""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from builder.cli.session import Session
from builder.errors import ImageFormatError, UnknownImageError
from builder.image.digest import hex_of
from builder.image.image import Image, load_manifest
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from builder.transport.load import load, opened, repository

_ID: Final = re.compile(r"(?:sha256:)?([0-9a-f]{4,64})")


@dataclass(frozen=True, slots=True)
class Found:
    """An image of the store. ``by_name``: the name that was asked for; None if it was an ID."""

    manifest: Descriptor
    image: Image
    by_name: Reference | None


def find(store: LayoutStore, written: str) -> Found:
    """The image that ``written`` means; UnknownImageError says what there is instead."""
    if match := _ID.fullmatch(written):
        tags = store.tags()
        by_id = {_id(store, manifest): manifest for manifest in tags.values()}
        fitting = [digest for digest in by_id if digest.startswith(match[1])]
        if len(fitting) > 1:
            raise UnknownImageError(
                f"{written} is the beginning of {len(fitting)} image IDs", fix="write more of it"
            )
        if fitting:
            manifest = by_id[fitting[0]]
            return Found(manifest, Image.load(store, manifest), None)
    reference = Reference.parse(written)
    known = store.resolve(reference)
    if known is None:
        raise UnknownImageError(f"no such image: {reference.familiar}", fix=_suggestion(store, reference))
    return Found(known, Image.load(store, known), reference)


def find_or_embedded(store: LayoutStore, written: str) -> Found:
    """The image of the store that ``written`` means, else the embedded one of that name, put into the store.

    UnknownImageError says what there is instead.
    """
    try:
        return find(store, written)
    except UnknownImageError as error:
        from builder.stores.fetcher import LocalFetcher
        from builder.strategies.simulated import catalogue, edition

        bases = catalogue()
        reference = Reference.parse(written)
        if bases.find(reference.familiar) is None:
            near = bases.relative(reference.familiar)
            if near is not None:
                error.fix = f"embedded is {near}; layerlab images --embedded lists all"
            raise
    image = LocalFetcher(store, catalogue, edition=edition).fetch(reference, Platform())
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    descriptor = Descriptor(manifest.media_type, stored.digest, stored.size, platform=image.platform)
    return Found(descriptor, image, reference)


def _id(store: LayoutStore, manifest: Descriptor) -> str:
    return hex_of(load_manifest(store, manifest).config.digest)


def _suggestion(store: LayoutStore, reference: Reference) -> str:
    names = [name.familiar for name in store.tags()]
    close = difflib.get_close_matches(reference.familiar, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return (
        f"there are: {', '.join(names[:10])}" if names else "the store is empty: build or load an image first"
    )


@contextmanager
def anywhere(session: Session, written: str) -> Iterator[tuple[LayoutStore, Image]]:
    """An image and the store that holds it: the session's own, or a passing one.

    ``written`` is a name or ID in the store, or the path of an OCI layout, an OCI archive or what
    ``docker save`` writes.
    """
    if not _is_path(written):
        with session.store() as store:
            yield store, find_or_embedded(store, written).image
        return
    if not Path(written).exists():
        raise ImageFormatError("no such file or directory", where=written)
    with session.store() as store:
        known = store.resolve(Reference.parse(written)) if "/" not in written else None
        if known is not None:  # a name in the store before a file that happens to be called alike
            yield store, Image.load(store, known)
            return
    with tempfile.TemporaryDirectory(prefix="layerlab-") as folder, LayoutStore(folder) as store:
        with opened(written) as source:
            loaded = load(store, source, called=repository(written))
        if not loaded:
            raise ImageFormatError("there is no image in it", where=written)
        yield store, loaded[0].image


def _is_path(written: str) -> bool:
    """Whether a word can only be, or happens to be, the path of something here."""
    return written.startswith(("/", "./", "../")) or Path(written).exists()
