"""``layerlab images``."""

from __future__ import annotations

import click

from builder.cli.session import Session, scaled, size
from builder.image.digest import short


@click.command()
@click.option("-q", "--quiet", is_flag=True, help="Print image IDs only.")
@click.option("--no-trunc", is_flag=True, help="Print whole IDs.")
@click.option("--embedded", is_flag=True, help="List the base images that come with the program.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, *, quiet: bool, no_trunc: bool, embedded: bool, as_json: bool) -> None:
    """List the images in the local store. SIZE is that of all layers' tars.

    \b
    Example:
      layerlab images --json
    """
    if embedded:
        _embedded(session, quiet=quiet, as_json=as_json)
        return
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
                    "scale": image.scale,
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
        scale = max((image.scale for _, image in found), default=1)
        if scale != 1:
            session.say(scaled(scale))


def _embedded(session: Session, *, quiet: bool, as_json: bool) -> None:
    """List the embedded images; several names may be one image."""
    from builder.world.scale import SCALE
    from builder.world.supplies import bases

    found = [(name, image) for name in bases.names() if (image := bases.find(name)) is not None]
    if as_json:
        session.json([{"name": name, "about": image.about, "scale": image.scale} for name, image in found])
    elif quiet:
        for name, _ in found:
            session.print(name)
    else:
        session.table(("NAME", "WHAT IT IS"), [(name, image.about) for name, image in found])
        session.say(f"Their programs and libraries weigh 1/{SCALE} of the real ones; they are simulated.")
