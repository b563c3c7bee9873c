"""``layerlab open``: the explorer page of any image, one's own from docker included."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from builder.cli.lookup import find
from builder.cli.session import Session, size
from builder.errors import BuildError
from builder.image.analysis import analyse
from builder.image.image import Image
from builder.image.oci import Descriptor
from builder.image.unpack import unpack_stack
from builder.stores.arriving import load, opened, repository
from builder.stores.layout import LayoutStore
from course.catalogue import LANGUAGES, language_of
from course.figures import explorer
from course.figures.picture import write_whole


@click.command()
@click.argument("image")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page  [default: NAME.html here]")
@click.option(
    "--max-wasted", metavar="BYTES", type=click.IntRange(min=0), help="Fail above this many hidden bytes."
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language  [default: as LANG says, else en]")
@click.pass_obj
def command(
    session: Session, image: str, output: Path | None, max_wasted: int | None, lang: str | None
) -> None:
    """Write the explorer page of IMAGE: a name in the store, an OCI layout, or an archive of docker save.

    Exit status 1 if more than --max-wasted bytes are in the image and in no view: for CI.

    \b
    Example:
      layerlab open nginx-example -o page.html
    """
    with _opened(session, image) as (store, manifest):
        found = Image.load(store, manifest)
        layers = unpack_stack(store, found.layers)
        tree = analyse(layers)
        target = output or Path(f"{_file_name(image)}.html")
        text = explorer.page(image, found, layers, language=lang or language_of(session.env))
    write_whole(target, text.encode())
    session.print(f"{target}: {len(tree.paths)} paths in {len(layers)} layers")
    session.print(f"{size(tree.size_bytes)} in files, {size(tree.wasted_bytes)} of them in no view")
    if max_wasted is not None and tree.wasted_bytes > max_wasted:
        raise BuildError(
            f"{tree.wasted_bytes:,} bytes are in no view; --max-wasted allows {max_wasted:,}",
            where=image,
            fix="the page lists them; delete a file in the RUN that makes it",
        )


@contextmanager
def _opened(session: Session, image: str) -> Iterator[tuple[LayoutStore, Descriptor]]:
    """A store and the manifest in it: the session's own, or a passing one for an archive or a layout."""
    if not Path(image).exists():
        with session.store() as store:
            yield store, find(store, image).manifest
        return
    with tempfile.TemporaryDirectory(prefix="layerlab-open-") as folder, LayoutStore(folder) as store:
        with opened(image) as source:
            loaded = load(store, source, called=repository(image))
        if not loaded:
            raise BuildError("there is no image in it", where=image)
        yield store, loaded[0].manifest


def _file_name(image: str) -> str:
    """A file name made of an image's: what a shell would have to quote becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(image).name) or "image"
