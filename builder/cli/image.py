"""``layerlab image tree`` and its siblings: what is inside an image."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from builder.cli.history import clipped
from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session, scaled, size
from builder.errors import BuildError, ImageFormatError
from builder.image.analysis import Held, ImageTree, Kind, PathRecord, analyse
from builder.image.difference import Change, Difference, differences
from builder.image.digest import chain_ids, hex_of, short
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.image.validate import validate as problems_of
from builder.strategies.rootless import TREES
from unionfs_sim.layers.merge import merged

if TYPE_CHECKING:
    from builder.namespace.trees import Unpacked
    from builder.stores.layout import LayoutStore

_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}


@click.group()
def command() -> None:
    """Look inside an image: its layers' files, and how two images differ.

    \b
    Example:
      layerlab image tree web:latest
    """


@command.command()
@click.argument("name")
@click.option("--layer", type=int, help="Only this layer; 0 is the base.")
@click.option("--summary", is_flag=True, help="Only the table of layers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def tree(session: Session, name: str, *, layer: int | None, summary: bool, as_json: bool) -> None:
    """List files by layer, and what each layer hides or wastes.

    \b
    + is new, ~ replaces what a lower layer has, - deletes it. SIZE is that of the layer's tar, IN FILES that
    of what its files hold, HIDDEN what of it no view shows.

    \b
    Example:
      layerlab image tree web:latest
    """
    with session.store() as store:
        image = find_or_embedded(store, name).image
        found = analyse(unpack_stack(store, image.layers))
    if layer is not None and not 0 <= layer < len(found.layers):
        raise click.BadParameter(f"there are layers 0 to {len(found.layers) - 1}", param_hint="--layer")
    if as_json:
        session.json(_tree_document(image, found))
        return
    steps = [entry.created_by for entry, blob in image.steps() if blob is not None]
    session.table(
        ("LAYER", "DIGEST", "ENTRIES", "SIZE", "IN FILES", "HIDDEN", "DELETIONS", "CREATED BY"),
        [
            (
                each.index,
                short(image.diff_ids[each.index]),
                each.entries,
                size(image.layers[each.index].descriptor.size),
                size(each.size_bytes),
                size(each.hidden_bytes),
                each.whiteouts + each.opaque,
                clipped(steps[each.index]),
            )
            for each in found.layers
        ],
    )
    session.print(
        f"{size(image.size)} in tars, {size(found.size_bytes)} of it in files, "
        f"{size(found.wasted_bytes)} of these seen by nobody"
    )
    if image.scale != 1:
        session.say(scaled(image.scale))
    for each in [] if summary else found.layers:
        if layer in (None, each.index):
            session.print(f"\nlayer {each.index}: {clipped(steps[each.index])}")
            for record in found.paths.values():
                for line in _lines(record, each.index):
                    session.print(line)


def _lines(record: PathRecord, layer: int) -> Iterator[str]:
    """The line of a path in the listing of one layer, if that layer holds it."""
    for position, held in enumerate(record.held):
        if held.layer != layer:
            continue
        sign = "-" if held.kind is Kind.WHITEOUT else "~" if position else "+"
        notes = list(_notes(held))
        shown = record.path + ("/" if held.kind is Kind.DIRECTORY else "")
        yield f"  {sign} {shown}" + (f"  ({', '.join(notes)})" if notes else "")


def _notes(held: Held) -> Iterator[str]:
    if held.size_bytes:
        yield size(held.size_bytes)
    if held.opaque:
        yield "opaque: hides what lower layers have in it"
    if held.hidden:
        yield f"hidden by layer {held.hidden_by}"


def _tree_document(image: Image, found: ImageTree) -> dict[str, Any]:
    return {
        "tar_bytes": image.size,
        "scale": image.scale,
        "size_bytes": found.size_bytes,
        "wasted_bytes": found.wasted_bytes,
        "layers": [
            {
                "index": each.index,
                "diff_id": image.diff_ids[each.index],
                "entries": each.entries,
                "tar_bytes": image.layers[each.index].descriptor.size,
                "size_bytes": each.size_bytes,
                "hidden_bytes": each.hidden_bytes,
                "whiteouts": each.whiteouts,
                "opaque": each.opaque,
            }
            for each in found.layers
        ],
        "paths": [
            {
                "path": record.path,
                "answers": record.answers,
                "held": [
                    {
                        "layer": held.layer,
                        "kind": held.kind.value,
                        "size_bytes": held.size_bytes,
                        "opaque": held.opaque,
                        "hidden": held.hidden,
                    }
                    for held in record.held
                ],
            }
            for record in found.paths.values()
        ],
    }


@command.command()
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def diff(session: Session, before: str, after: str, *, as_json: bool) -> None:
    """Say how the files of two images differ (+ added, - removed, ~ changed).

    \b
    Example:
      layerlab image diff web:1 web:2
    """
    with session.store() as store:
        one, two = find_or_embedded(store, before).image, find_or_embedded(store, after).image
        found = differences(merged(unpack_stack(store, one.layers)), merged(unpack_stack(store, two.layers)))
    shared = sum(left == right for left, right in zip(one.diff_ids, two.diff_ids, strict=False))
    if as_json:
        session.json({"shared_layers": shared, "differences": [_difference_document(each) for each in found]})
        return
    for each in found:
        notes = f"  ({', '.join(each.details)})" if each.details else ""
        session.print(f"{_SIGNS[each.change]} {each.path}{notes}")
    grown = sum(each.size_after - each.size_before for each in found)
    session.say(f"{len(found)} paths differ, {grown:+d} bytes; {shared} layers are shared")


def _difference_document(each: Difference) -> dict[str, Any]:
    return {
        "path": each.path,
        "change": each.change.value,
        "size_before": each.size_before,
        "size_after": each.size_after,
        "details": list(each.details),
    }


@command.command()
@click.argument("name")
@click.pass_obj
def validate(session: Session, name: str) -> None:
    """Check digests, sizes, layers and config of an image against each other.

    \b
    Example:
      layerlab image validate web:latest
    """
    with session.store() as store:
        problems = problems_of(store, find_or_embedded(store, name).manifest)
    if problems:
        raise ImageFormatError("; ".join(problems), where=name)
    session.print(f"{name}: valid")


@command.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(session: Session, *, repair: bool, as_json: bool) -> int:
    """Read the whole store and say what of it is damaged; exit status 1 if something is.

    \b
    Example:
      layerlab image check --repair
    """
    from builder.stores import check as store_check

    path = str(session.state_dir)
    found = store_check.repair(path) if repair else store_check.check(path)
    if as_json:
        session.json([asdict(each) for each in found])
    elif found:
        session.table(
            ("WHAT", "PROBLEM", "MENDED" if repair else "--repair WOULD"),
            [(each.what, each.problem, each.mend) for each in found],
        )
    else:
        session.print("everything is whole")
    return int(bool(found) and not repair)


@command.command()
@click.option("--cache", is_flag=True, help="Forget the build cache as well.")
@click.option("--older-than", metavar="AGE", help="Forget what no build asked for since: 90m, 24h, 7d.")
@click.option(
    "--keep-size", metavar="SIZE", help="Forget what was asked for longest ago, down to: 500MB, 2GB."
)
@click.pass_obj
def prune(session: Session, *, cache: bool, older_than: str | None, keep_size: str | None) -> None:
    """Remove the blobs that neither a name nor the build cache needs. Names are never removed.

    Of what real builds have unpacked stays what an image with a name is made of. --cache removes the contents
    of their cache mounts, too.

    \b
    Example:
      layerlab image prune --older-than 7d --keep-size 2GB
    """
    before = None if older_than is None else int(time.time()) - _seconds(older_than)
    keep_bytes = None if keep_size is None else _bytes(keep_size)
    with session.store_to_empty() as store:
        if cache:
            store.forget_cache()
        removed = store.prune(before=before, keep_bytes=keep_bytes)
        waits = removed.skipped
        trees = None if waits else _pruned_trees(session, store, caches=cache)
    if waits or (trees is None and _has_trees(session)):
        session.say("another process uses the store: try again when it has ended")
    session.print(f"removed {removed.blobs} blobs, {size(removed.size_bytes)}")
    if trees is not None:
        session.print(f"removed {trees.layers} unpacked layers, {size(trees.layer_bytes)}")
        if cache:
            session.print(f"removed {trees.caches} cache mounts, {size(trees.cache_bytes)}")


def _has_trees(session: Session) -> bool:
    """Whether a real build has unpacked anything."""
    return (session.state_dir / TREES).is_dir()


def _pruned_trees(session: Session, store: LayoutStore, *, caches: bool) -> Unpacked | None:
    """What was removed of the trees; None if there are none, or if somebody uses them."""
    if not _has_trees(session):
        return None
    from builder.namespace.trees import Trees

    stacks = (image.diff_ids for image in _images(store))
    kept = {hex_of(name) for layers in stacks for name in chain_ids(layers)}
    with Trees(str(session.state_dir / TREES)) as trees:
        return trees.prune(kept=kept, caches=caches)


def _images(store: LayoutStore) -> Iterator[Image]:
    """The images that have a name; not those that are damaged, and not lists of images."""
    for manifest in set(store.tags().values()):
        with suppress(BuildError):
            yield Image.load(store, manifest)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def df(session: Session, *, as_json: bool) -> None:
    """Say who needs how much of the store, and what real builds have unpacked beside it.

    \b
    Example:
      layerlab image df
    """
    with session.store() as store:
        found = store.shares()
    unpacked = _unpacked(session)
    if as_json:
        session.json({**asdict(found), "unpacked": None if unpacked is None else asdict(unpacked)})
        return
    rows: tuple[tuple[object, ...], ...] = (
        ("images", found.images, size(found.image_bytes), "layerlab rmi NAME"),
        ("build cache", found.records, size(found.record_bytes), "layerlab image prune --cache"),
        ("nobody", "", size(found.unneeded_bytes), "layerlab image prune"),
    )
    if unpacked is not None:
        rows += (
            ("real builds: layers", unpacked.layers, size(unpacked.layer_bytes), "layerlab image prune"),
            ("real builds: cache mounts", unpacked.caches, size(unpacked.cache_bytes), "… prune --cache"),
        )
    session.table(("NEEDED BY", "COUNT", "SIZE", "FREED BY"), rows)


def _unpacked(session: Session) -> Unpacked | None:
    """What lies unpacked; None if nothing does."""
    if not _has_trees(session):
        return None
    from builder.namespace.trees import Trees

    with Trees(str(session.state_dir / TREES)) as trees:
        return trees.sizes()


_AGE_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SIZE_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def _seconds(written: str) -> int:
    number, unit = written[:-1], written[-1:]
    if unit not in _AGE_UNITS or not number.isascii() or not number.isdigit() or len(number) > 9:
        raise click.UsageError(f"--older-than {written}: write a number and s, m, h or d, such as 24h")
    return int(number) * _AGE_UNITS[unit]


def _bytes(written: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15})([KMGT]?B)?", written.upper())
    if match is None:
        raise click.UsageError(f"--keep-size {written}: write a number and B, kB, MB, GB or TB, such as 2GB")
    return int(match[1]) * _SIZE_UNITS[match[2] or "B"]
