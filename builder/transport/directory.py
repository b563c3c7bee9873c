"""The medium of who wants the files: a directory, without layers (buildx's ``type=local``)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from builder.attestation.provenance import PREDICATE_TYPE as PROVENANCE
from builder.attestation.spdx import PREDICATE_TYPE as SBOM
from builder.attestation.statement import Predicate
from builder.errors import StoreError
from builder.files.partial import replacing_directory, told
from builder.image.oci import canonical_json
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.trees import Fidelity, copy_tree

_PREDICATE_FILES: Final = {PROVENANCE: "provenance.json", SBOM: "sbom.spdx.json"}


def write_tree(tree: Filesystem, predicates: Iterable[Predicate], dest: str) -> None:
    """Make the directory ``dest`` of the files of ``tree``, and one for each predicate.

    StoreError if ``dest`` holds anything, or the tree a file of a predicate's name.
    """
    with new_directory(dest) as path, HostDirectory(path) as directory:
        copy_tree(tree, directory, fidelity=Fidelity.MINE)
        for predicate in predicates:
            _write_predicate(path, predicate)


def _write_predicate(directory: str, predicate: Predicate) -> None:
    """A file beside the image's own, named as BuildKit names it."""
    path = os.path.join(directory, _PREDICATE_FILES.get(predicate.type, "attestation.json"))
    if os.path.lexists(path):
        raise StoreError("the image has a file where what is said about it would go", where=path)
    with open(path, "wb") as file:
        file.write(canonical_json(predicate.content))


@contextmanager
def new_directory(path: str) -> Iterator[str]:
    """A directory to fill that becomes ``path`` at the end; StoreError if ``path`` holds anything."""
    with told("cannot write", path):
        if os.path.lexists(path) and (os.path.islink(path) or not os.path.isdir(path) or os.listdir(path)):
            raise StoreError(
                "the destination exists and is not empty", where=path, fix="remove it, or choose another name"
            )
    with replacing_directory(path) as temporary:
        yield temporary
