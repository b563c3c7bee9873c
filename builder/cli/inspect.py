"""``layerlab inspect``."""

from __future__ import annotations

import json
from typing import Any

import click

from builder.attestation.provenance import PREDICATE_TYPE as PROVENANCE
from builder.attestation.spdx import PREDICATE_TYPE as SBOM
from builder.attestation.statement import predicates_of
from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session
from builder.errors import ImageFormatError
from builder.image.image import load_manifest
from builder.stores.layout import LayoutStore
from builder.stores.lookup import Found


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--raw", type=click.Choice(["config", "manifest"]), help="Print that document exactly as it is stored."
)
@click.option("--provenance", "said", flag_value=PROVENANCE, help="Print where the image came from (SLSA).")
@click.option("--sbom", "said", flag_value=SBOM, help="Print what the image holds (SPDX).")
@click.pass_obj
def command(session: Session, names: tuple[str, ...], *, raw: str | None, said: str | None) -> None:
    """Print an image's config and manifest as JSON, or what is said about it.

    \b
    Example:
      layerlab inspect web:latest
    """
    with session.store() as store:
        found = [find_or_embedded(store, name) for name in names]
        if said is not None:
            session.json([_said(store, each, name, said) for each, name in zip(found, names, strict=True)])
            return
        if raw is None:
            session.json([description(store, each) for each in found])
            return
        for each in found:
            manifest = load_manifest(store, each.manifest)
            written = manifest.to_bytes() if raw == "manifest" else each.image.config_bytes()
            session.print(written.decode("utf-8", "surrogateescape"))


def _said(store: LayoutStore, found: Found, name: str, kind: str) -> dict[str, Any]:
    """The content of what is said about an image; ImageFormatError if nothing of that kind is."""
    for predicate in predicates_of(store, found.manifest):
        if predicate.type == kind:
            return dict(predicate.content)
    option = "--provenance" if kind == PROVENANCE else "--sbom"
    raise ImageFormatError(
        f"nothing of that kind is said about {name}", fix=f"build it with: layerlab build {option} …"
    )


def description(store: LayoutStore, found: Found) -> dict[str, Any]:
    """What ``docker inspect`` would say of the image, and where its blobs are."""
    image = found.image
    names = [reference.familiar for reference, manifest in store.tags().items() if manifest == found.manifest]
    described: dict[str, Any] = json.loads(image.config_bytes())
    return {
        "Id": image.id,
        "RepoTags": names,
        "Created": image.created,
        "Author": image.author,
        "Architecture": image.platform.architecture,
        "Os": image.platform.os,
        "Variant": image.platform.variant,
        "Size": image.size,
        "Config": described.get("config", {}),
        "RootFS": {"Type": "layers", "Layers": list(image.diff_ids)},
        "History": [entry.document() for entry in image.history],
        "Manifest": found.manifest.document(),
        "Layers": [layer.descriptor.document() for layer in image.layers],
        "ChainID": image.chain_id,
    }
