"""``layerlab rmi``."""

from __future__ import annotations

import click

from builder.cli.session import Session, size
from builder.errors import StoreError
from builder.image.reference import Reference, ReferenceFormatError
from builder.stores.layout import LayoutStore
from builder.stores.lookup import find


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("-f", "--force", is_flag=True, help="Remove all names of an image that is given by its ID.")
@click.pass_obj
def command(session: Session, names: tuple[str, ...], *, force: bool) -> None:
    """Remove names, and the blobs that neither a name nor the build cache needs any more.

    \b
    Example:
      layerlab rmi web:latest
    """
    with session.store_to_empty() as store:
        for name in names:
            for reference in _names(store, name, force=force):
                store.untag(reference)
                session.print(f"Untagged: {reference.familiar}")
        removed = store.collect()
    if removed.skipped:
        session.say("another process uses the store: blobs are removed by the next rmi")
    elif removed.blobs:
        session.say(f"removed {removed.blobs} blobs, {size(removed.size_bytes)}")


def _names(store: LayoutStore, written: str, *, force: bool) -> list[Reference]:
    named = _as_reference(written)
    if named is not None and store.resolve(named) is not None:
        return [named]  # Whatever became of its blobs, a name can be taken away.
    found = find(store, written)
    names = [reference for reference, manifest in store.tags().items() if manifest == found.manifest]
    if len(names) > 1 and not force:
        listed = ", ".join(reference.familiar for reference in names)
        raise StoreError(
            f"the image {written} has several names", fix=f"name one of {listed}, or add --force"
        )
    return names


def _as_reference(written: str) -> Reference | None:
    try:
        return Reference.parse(written)
    except ReferenceFormatError:
        return None
