"""``layerlab history``."""

from __future__ import annotations

import click

from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session, scaled, size
from builder.image.digest import short

_SHOWN = 60


@click.command()
@click.argument("name")
@click.option("--no-trunc", is_flag=True, help="Print whole instructions and digests.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, name: str, *, no_trunc: bool, as_json: bool) -> None:
    """Show which instruction made which layer, the last one first. SIZE is that of the layer's tar.

    \b
    Example:
      layerlab history web:latest
    """
    with session.store() as store:
        image = find_or_embedded(store, name).image
    steps = list(image.steps())
    if as_json:
        session.json(
            [
                {
                    "created": entry.created,
                    "created_by": entry.created_by,
                    "comment": entry.comment,
                    "diff_id": layer.diff_id if layer else None,
                    "size_bytes": layer.descriptor.size if layer else 0,
                }
                for entry, layer in reversed(steps)
            ]
        )
        return
    session.table(
        ("LAYER", "CREATED BY", "SIZE", "COMMENT"),
        [
            (
                "-" if layer is None else layer.diff_id if no_trunc else short(layer.diff_id),
                entry.created_by if no_trunc else clipped(entry.created_by),
                size(layer.descriptor.size if layer else 0),
                entry.comment,
            )
            for entry, layer in reversed(steps)
        ],
    )
    if image.scale != 1:
        session.say(scaled(image.scale))


def clipped(text: str) -> str:
    """The text on one line, cut to what a table can show."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
