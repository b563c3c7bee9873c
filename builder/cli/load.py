"""``layerlab load``."""

from __future__ import annotations

import sys

import click

from builder.cli.session import Session
from builder.image.compression import DEFAULT_LIMIT_BYTES, DEFAULT_LIMIT_RATIO, Limits
from builder.image.oci import Platform
from builder.transport.load import load, opened, repository


@click.command()
@click.option(
    "-i", "--input", "path", default="-", help="An archive or an OCI layout directory  [default: stdin]"
)
@click.option("--platform", help="Which image to take of one for several platforms, such as linux/arm64.")
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    session: Session, *, path: str, platform: str | None, max_size: int, max_ratio: int, as_json: bool
) -> None:
    """Read images from docker save, an OCI archive, or an OCI layout directory.

    \b
    Example:
      layerlab load -i web.tar
    """
    if path == "-" and sys.stdin.isatty():
        raise click.UsageError("nothing to read: add -i FILE, or redirect the input")
    chosen = Platform.parse(platform) if platform else None
    limits = Limits(max_size, max_ratio)
    with session.store() as store, opened(path, stdin=sys.stdin.buffer, limits=limits) as source:
        loaded = load(store, source, called=repository(path), platform=chosen, limits=limits)
    if as_json:
        session.json(
            [{"id": each.image.id, "names": [name.familiar for name in each.references]} for each in loaded]
        )
        return
    for each in loaded:
        for name in each.references:
            session.print(f"Loaded image: {name.familiar}")
