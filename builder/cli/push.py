"""``layerlab push``."""

from __future__ import annotations

import click

from builder.cli.registries import registries, registry_options, transfers
from builder.cli.session import Session, size
from builder.image.compressor import Compression, Method
from builder.image.reference import Reference
from builder.stores.lookup import find


@click.command()
@click.argument("name")
@click.argument("target", required=False)
@click.option(
    "--compression",
    type=click.Choice([method.value for method in Method]),
    help="Compress every layer so  [default: as it came from a registry, else gzip]",
)
@click.option("--compression-level", "level", type=int, help="How hard: gzip 0-9, fast 0-3, zstd 1-19.")
@click.option("-q", "--quiet", is_flag=True, help="Print the digest and nothing else.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--jobs", type=click.IntRange(1, 64), default=6, show_default=True, help="Blobs at a time.")
@registry_options
@click.pass_obj
def command(
    session: Session,
    *,
    name: str,
    target: str | None,
    compression: str | None,
    level: int | None,
    quiet: bool,
    as_json: bool,
    jobs: int,
    mirrors: tuple[str, ...],
    insecure: tuple[str, ...],
) -> None:
    """Send an image to a registry: where its name says, or to TARGET.

    \b
    Example:
      layerlab push web:latest localhost:5000/web:latest
    """
    from builder.transport.registry.push import push

    chosen = None
    if compression is not None or level is not None:
        chosen = Compression.parse(compression or Method.GZIP.value, level)
    reference = Reference.parse(target or name)
    with (
        session.store() as store,
        registries(session, mirrors, insecure) as known,
        transfers(session, quiet=quiet or as_json) as listener,
    ):
        found = find(store, name)
        pushed = push(
            store, known, found.manifest, reference, compression=chosen, threads=jobs, listener=listener
        )
    if as_json:
        session.json({"name": reference.familiar, "digest": pushed.digest, "size": pushed.size})
    elif quiet:
        session.print(pushed.digest)
    else:
        session.print(f"Pushed {reference.familiar}: {pushed.digest}, {size(pushed.size)}")
