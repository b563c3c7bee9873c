"""Finds the image that a word on the command line means: of the store, embedded, or in a file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from builder.cli.session import Session
from builder.errors import ImageFormatError, UnknownImageError
from builder.image.image import Image
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from builder.stores.lookup import Found, find
from builder.transport.load import load, opened, repository


def find_or_embedded(store: LayoutStore, written: str) -> Found:
    """The image of the store that ``written`` means, else the embedded one of that name, put into the store.

    UnknownImageError says what there is instead.
    """
    try:
        return find(store, written)
    except UnknownImageError as error:
        from builder.strategies.simulated import catalogue, embedded

        bases = catalogue()
        reference = Reference.parse(written)
        if bases.find(reference.familiar) is None:
            near = bases.relative(reference.familiar)
            if near is not None:
                error.fix = f"embedded is {near}; layerlab images --embedded lists all"
            raise
    manifest, image = embedded(store, reference)
    return Found(manifest, image, reference)


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
