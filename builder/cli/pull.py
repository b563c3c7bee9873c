"""``layerlab pull``."""

from __future__ import annotations

import click

from builder.cli.registries import registries, registry_options, transfers
from builder.cli.session import Session
from builder.image.compression import DEFAULT_LIMIT_BYTES, DEFAULT_LIMIT_RATIO, Limits
from builder.image.oci import Platform
from builder.image.reference import Reference


@click.command()
@click.argument("name")
@click.option("--platform", default="linux/amd64", show_default=True, help="Which image of one for several.")
@click.option("-q", "--quiet", is_flag=True, help="Print the digest and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--jobs", type=click.IntRange(1, 64), default=6, show_default=True, help="Blobs at a time.")
@click.option(
    "--max-size",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT_BYTES,
    metavar="BYTES",
    help="Refuse a layer that unpacks to more  [default: 16 GiB]",
)
@click.option(
    "--max-ratio",
    type=click.IntRange(min=1),
    default=DEFAULT_LIMIT_RATIO,
    metavar="N",
    help="Refuse a layer that unpacks to 1 GiB and more than N times its size  [default: 500]",
)
@registry_options
@click.pass_obj
def command(
    session: Session,
    *,
    name: str,
    platform: str,
    quiet: bool,
    as_json: bool,
    jobs: int,
    max_size: int,
    max_ratio: int,
    mirrors: tuple[str, ...],
    insecure: tuple[str, ...],
) -> None:
    """Fetch an image from its registry.

    \b
    Example:
      layerlab pull localhost:5000/web:latest
    """
    from builder.transport.registry.pull import pull

    reference = Reference.parse(name)
    wanted = Platform.parse(platform)
    with (
        session.store() as store,
        registries(session, mirrors, insecure) as known,
        transfers(session, quiet=quiet or as_json) as listener,
    ):
        pulled = pull(
            store,
            known,
            reference,
            wanted,
            limits=Limits(max_size, max_ratio),
            threads=jobs,
            listener=listener,
        )
    found = pulled.image.platform
    if (found.os, found.architecture) != (wanted.os, wanted.architecture):
        session.say(f"warning: the image is for {found}, not for {wanted}")
    if as_json:
        session.json({"name": reference.familiar, "digest": pulled.digest, "id": pulled.image.id})
    elif quiet:
        session.print(pulled.digest)
    else:
        session.print(f"Pulled {reference.familiar}: {pulled.digest}")
