"""``layerlab images``."""

from __future__ import annotations

import click

from builder.cli.session import Session, size
from builder.image.digest import short


@click.command()
@click.option("-q", "--quiet", is_flag=True, help="Print image IDs only.")
@click.option("--no-trunc", is_flag=True, help="Print whole IDs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, quiet: bool, no_trunc: bool, as_json: bool) -> None:
    """List the images in the local store.

    \b
    Example:
      layerlab images --json
    """
    with session.store() as store:
        found = store.summaries()
    if as_json:
        session.json(
            [
                {
                    "name": reference.familiar,
                    "id": image.id,
                    "layers": image.layers,
                    "size_bytes": image.size,
                    "created": image.created,
                    "platform": image.platform,
                }
                for reference, image in found
            ]
        )
    elif quiet:
        for digest in dict.fromkeys(image.id for _, image in found):
            session.print(digest if no_trunc else short(digest))
    else:
        session.table(
            ("REPOSITORY", "TAG", "IMAGE ID", "LAYERS", "SIZE", "CREATED"),
            [
                (
                    reference.familiar_name,
                    reference.tag or "<none>",
                    image.id if no_trunc else short(image.id),
                    image.layers,
                    size(image.size),
                    image.created or "-",
                )
                for reference, image in found
            ],
        )
