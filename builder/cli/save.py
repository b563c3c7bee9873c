"""``layerlab save``."""

from __future__ import annotations

import sys

import click

from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session
from builder.errors import StoreError
from builder.image.compressor import Compression, Method
from builder.transport.output import STDOUT, Output, OutputKind
from builder.transport.save import Named, export


@click.command()
@click.argument("names", nargs=-1, required=True)
@click.option("-o", "--output", "dest", default=STDOUT, help="The file to write  [default: stdout]")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["docker", "oci"]),
    default="docker",
    show_default=True,
    help="docker: an OCI layout that docker load reads as well; oci: without the part for docker.",
)
@click.option(
    "--compression",
    type=click.Choice([method.value for method in Method]),
    default=Method.GZIP.value,
    show_default=True,
    help="How layers are compressed.",
)
@click.option("--compression-level", "level", type=int, help="How hard: gzip 0-9, fast 0-3, zstd 1-19.")
@click.pass_obj
def command(
    session: Session, names: tuple[str, ...], *, dest: str, kind: str, compression: str, level: int | None
) -> None:
    """Write images to an archive that docker, podman and skopeo read.

    \b
    Example:
      layerlab save -o web.tar web:latest
    """
    if dest == STDOUT and session.out.isatty():
        raise StoreError("an archive is not for a terminal", fix="add -o FILE, or redirect the output")
    with session.store() as store:
        images: dict[str, Named] = {}
        for name in names:
            found = find_or_embedded(store, name)
            known = images.get(found.manifest.digest, Named(found.manifest))
            references = (*known.references, *([found.by_name] if found.by_name else []))
            images[found.manifest.digest] = Named(found.manifest, tuple(dict.fromkeys(references)))
        output = Output(OutputKind(kind), dest, compression=Compression.parse(compression, level))
        export(store, list(images.values()), output, stdout=sys.stdout.buffer)
    if dest != STDOUT:
        session.say(f"wrote {dest}")
