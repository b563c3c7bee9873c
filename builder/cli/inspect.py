"""``layerlab inspect``."""

from __future__ import annotations

import json
from typing import Any

import click

from builder.cli.lookup import Found, find
from builder.cli.session import Session
from builder.image.image import load_manifest
from builder.stores.layout import LayoutStore


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--raw", type=click.Choice(["config", "manifest"]), help="Print that document exactly as it is stored."
)
@click.pass_obj
def command(session: Session, names: tuple[str, ...], *, raw: str | None) -> None:
    """Print an image's config and manifest as JSON.

    \b
    Example:
      layerlab inspect web:latest
    """
    with session.store() as store:
        found = [find(store, name) for name in names]
        if raw is None:
            session.json([description(store, each) for each in found])
            return
        for each in found:
            manifest = load_manifest(store, each.manifest)
            written = manifest.to_bytes() if raw == "manifest" else each.image.config_bytes()
            session.print(written.decode("utf-8", "surrogateescape"))


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
