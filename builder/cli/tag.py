"""``layerlab tag``."""

from __future__ import annotations

import click

from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session
from builder.image.reference import Reference


@click.command()
@click.argument("source")
@click.argument("target")
@click.pass_obj
def command(session: Session, source: str, target: str) -> None:
    """Give an image another name.

    \b
    Example:
      layerlab tag web:latest registry.example/web:1.0
    """
    reference = Reference.parse(target)
    if reference.digest is not None:
        raise click.UsageError("a name with a digest cannot be given: the digest is the image's own")
    with session.store() as store:
        store.tag(reference, find_or_embedded(store, source).manifest)
    session.say(f"tagged {reference.familiar}")
