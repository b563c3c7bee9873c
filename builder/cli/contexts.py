"""``--build-context``: what an image's name means for one build."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from builder.errors import BuildError
from builder.image.digest import Digest, digest_of
from builder.image.layout import INDEX_FILE
from builder.image.oci import Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore

if TYPE_CHECKING:
    from builder.transport.load import Loaded

_SCHEME: Final = "oci-layout://"


def named_images(specs: Sequence[str], store: LayoutStore) -> Mapping[Reference, Descriptor]:
    """What each name means: a manifest that now lies in ``store``, of the layout that ``specs`` say.

    UsageError for what is no ``NAME=oci-layout://PATH``, BuildError for a layout that cannot be used.
    """
    found = {}
    for spec in specs:
        name, _, source = spec.partition("=")
        if not name or not source.startswith(_SCHEME):
            raise click.UsageError(f"--build-context {spec}: write NAME=oci-layout://PATH[:TAG]")
        path, tag = _split(source.removeprefix(_SCHEME))
        found[Reference.parse(name)] = _manifest(path, tag, store)
    return found


def _split(text: str) -> tuple[str, str]:
    """The path of a layout, and the tag or digest behind it."""
    if os.path.isdir(text):
        return text, ""
    path, _, digest = text.partition("@")
    if digest:
        return path, digest
    path, _, tag = text.rpartition(":")
    return (path, tag) if path and "/" not in tag else (text, "")


def _manifest(path: str, tag: str, store: LayoutStore) -> Descriptor:
    """The image's manifest; what the store knows of the layout is not read again."""
    try:
        with open(os.path.join(path, INDEX_FILE), "rb") as file:
            index = digest_of(file.read())
    except OSError as error:
        raise BuildError(f"no OCI layout: {error.strerror}", where=path, fix="it has an index.json") from None
    key = f"layout:{index}:{tag}"
    known = store.recall(key)
    if known is not None and "parts" in known:
        descriptor = Descriptor(known["type"], Digest(known["digest"]), known["size"])
        if store.find(descriptor.digest) is not None:
            return descriptor
    arrived = _arrived(path, tag, store)
    descriptor, image = arrived.manifest, arrived.image
    record = {"type": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size}
    # What a record names is not collected: a manifest is of no use without what it leads to.
    parts = [image.id, *(layer.descriptor.digest for layer in image.layers)]
    store.remember(key, {**record, "parts": parts})
    return descriptor


def _arrived(path: str, tag: str, store: LayoutStore) -> Loaded:
    from builder.transport.load import arrived, opened

    with opened(path) as source:
        images = arrived(store, source)
    chosen = [
        each
        for each in images
        if not tag or tag == each.manifest.digest or tag in (ref.tag for ref in each.references)
    ]
    if len(chosen) != 1:
        names = ", ".join(ref.familiar for each in images for ref in each.references)
        wanted = f"no image with the tag {tag!r}" if tag else "more than one image"
        raise BuildError(f"the layout has {wanted}", where=path, fix=f"write PATH:TAG; there are: {names}")
    return chosen[0]
