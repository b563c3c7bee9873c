"""``layerlab open``: the explorer page of any image, one's own from docker included."""

from __future__ import annotations

import re
from pathlib import Path

import click

from builder.cli.lookup import anywhere
from builder.cli.session import Session, size
from builder.errors import BuildError
from builder.image.analysis import analyse
from builder.image.unpack import unpack_stack
from course.catalogue import LANGUAGES, language_of
from course.figures import explorer
from course.figures.picture import write_whole


@click.command()
@click.argument("image")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The page  [default: NAME.html here]")
@click.option(
    "--max-wasted", metavar="BYTES", type=click.IntRange(min=0), help="Fail above this many hidden bytes."
)
@click.option("--browser/--no-browser", default=None, help="Show it in the browser  [default: at a terminal]")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language  [default: as LANG says, else en]")
@click.pass_obj
def command(
    session: Session,
    image: str,
    output: Path | None,
    max_wasted: int | None,
    lang: str | None,
    *,
    browser: bool | None,
) -> None:
    """Show IMAGE as a page to explore: a name in the store, an OCI layout, or an archive of docker save.

    The page is one file, which needs no network; #/etc/motd behind its address leads to a path.

    Exit status 1 if more than --max-wasted bytes are in the image and in no view: for CI.

    \b
    Example:
      layerlab open nginx-example -o page.html
    """
    with anywhere(session, image) as (store, found):
        layers = unpack_stack(store, found.layers)
        tree = analyse(layers)
        target = output or Path(f"{_file_name(image)}.html")
        language = lang or language_of(session.env)
        text = explorer.page(image, found, layers, tree=tree, language=language)
    write_whole(target, text.encode())
    session.print(f"{target}: {len(tree.paths)} paths in {len(layers)} layers")
    address = target.absolute().as_uri()
    session.print(address)
    session.print(f"{size(tree.size_bytes)} in files, {size(tree.wasted_bytes)} of them in no view")
    if session.out.isatty() if browser is None else browser:
        _show(session, address)
    if max_wasted is not None and tree.wasted_bytes > max_wasted:
        raise BuildError(
            f"{tree.wasted_bytes:,} bytes are in no view; --max-wasted allows {max_wasted:,}",
            where=image,
            fix="the page lists them; delete a file in the RUN that makes it",
        )


def _show(session: Session, address: str) -> None:
    """The page in the user's browser, or a word on how to get there."""
    import webbrowser

    if not webbrowser.open(address):
        session.say("no browser can be started here; open the address above in one")


def _file_name(image: str) -> str:
    """A file name made of an image's: what a shell would have to quote becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(image).name) or "image"
