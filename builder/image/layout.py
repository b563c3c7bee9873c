"""The files of an OCI image layout that are no blobs (image-spec, image-layout.md)."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from typing import Final

from builder.errors import StoreError
from builder.files.partial import PREFIX, replacing, told
from builder.image.oci import (
    ANNOTATION_CONTAINERD_NAME,
    ANNOTATION_REF_NAME,
    MAX_DOCUMENT_BYTES,
    Descriptor,
    Index,
)
from builder.image.reference import Reference, ReferenceFormatError

LAYOUT_FILE: Final = "oci-layout"
LAYOUT_VERSION: Final = b'{"imageLayoutVersion":"1.0.0"}'
INDEX_FILE: Final = "index.json"


def require_layout(path: str, *, beside: Collection[str] = ()) -> None:
    """Make ``path`` an empty layout if there is nothing; StoreError if there is something else.

    ``beside``: names of what may lie there before a layout does.
    """
    layout_file = os.path.join(path, LAYOUT_FILE)
    with told("cannot use it as a store", path):
        os.makedirs(path, exist_ok=True)
        # Another process may be making the layout at this moment: its temporary file is not foreign.
        found = [name for name in os.listdir(path) if not name.startswith(PREFIX) and name not in beside]
        if found and LAYOUT_FILE not in found:
            foreign = "the directory is not empty and no OCI image layout"
            raise StoreError(foreign, where=path, fix="choose another directory")
        if not found:
            with replacing(layout_file) as stream:
                stream.write(LAYOUT_VERSION)
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)


def read_index(path: str) -> tuple[Descriptor, ...] | None:
    """What the ``index.json`` of the layout at ``path`` lists; None if there is none."""
    index_file = os.path.join(path, INDEX_FILE)
    if not os.path.lexists(index_file):
        return None
    with told("cannot read", index_file), open(index_file, "rb") as stream:
        return Index.parse(stream.read(MAX_DOCUMENT_BYTES + 1), where=index_file).manifests


def reference_of(entry: Descriptor, *, called: str) -> Reference | None:
    """The name that an entry of an index bears; None if it has none, or one that is no reference.

    ``called``: the repository that is meant where only a tag is written, as buildx and umoci do.
    """
    name = entry.annotations.get(ANNOTATION_CONTAINERD_NAME) or entry.annotations.get(ANNOTATION_REF_NAME)
    if not name:
        return None
    try:
        return Reference.parse(name if set(":/") & set(name) else f"{called}:{name}")
    except ReferenceFormatError:
        return None


def repository(path: str) -> str:
    """A name for the image in a file or directory, from its own.

    >>> repository("/tmp/My web.tar.gz")
    'my-web'
    """
    name = os.path.basename(os.path.abspath(path)).lower().split(".")[0] if path != "-" else ""
    return re.sub(r"[^a-z0-9]+", "-", name).strip("-") or "loaded"
