"""Finds the image of a store that a word means: by name, or by the beginning of its ID."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from builder.errors import UnknownImageError
from builder.image.digest import hex_of
from builder.image.image import Image, load_manifest
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore

_ID: Final = re.compile(r"(?:sha256:)?([0-9a-f]{4,64})")


@dataclass(frozen=True, slots=True)
class Found:
    """An image of the store. ``by_name``: the name that was asked for; None if it was an ID."""

    manifest: Descriptor
    image: Image
    by_name: Reference | None


def find(store: LayoutStore, written: str, *, nameless: Iterable[Descriptor] = ()) -> Found:
    """The image that ``written`` means; UnknownImageError says what there is instead.

    ``nameless``: manifests in the store that have an ID only.
    """
    if match := _ID.fullmatch(written):
        manifests = [*store.tags().values(), *nameless]
        by_id = {hex_of(load_manifest(store, each).config.digest): each for each in manifests}
        fitting = [digest for digest in by_id if digest.startswith(match[1])]
        if len(fitting) > 1:
            raise UnknownImageError(
                f"{written} is the beginning of {len(fitting)} image IDs", fix="write more of it"
            )
        if fitting:
            manifest = by_id[fitting[0]]
            return Found(manifest, Image.load(store, manifest), None)
        if written.startswith("sha256:"):
            raise UnknownImageError(f"no such image: {written}")
    reference = Reference.parse(written)
    known = store.resolve(reference)
    if known is None:
        raise UnknownImageError(f"no such image: {reference.familiar}", fix=_suggestion(store, reference))
    return Found(known, Image.load(store, known), reference)


def _suggestion(store: LayoutStore, reference: Reference) -> str:
    names = [name.familiar for name in store.tags()]
    close = difflib.get_close_matches(reference.familiar, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return (
        f"there are: {', '.join(names[:10])}" if names else "the store is empty: build or load an image first"
    )
