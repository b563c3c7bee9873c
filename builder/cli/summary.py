"""What is said after a build: the stages as text, the layers of the image, and what each stage weighs."""

from __future__ import annotations

from collections.abc import Sequence

from builder.cli.findings import FindingTold
from builder.cli.session import Session, scaled, size
from builder.dockerfile.plan.stages import StageBase, StageGraph
from builder.engine.weight import layer_entries
from builder.image.digest import short
from builder.image.image import Image
from builder.image.waste import Waste
from builder.protocols import Records, Store
from builder.recipe import Build
from unionfs_sim.nodes.record import Record

_INSTRUCTION_CHARACTERS = 60
_SHORT = 40
_WORTH_A_LINE = 100
"""A file that wastes less than this part of all bytes is not named."""


class LayerRow(Record):
    """One layer of an image, with the history line that made it."""

    instruction: str
    entries: int
    size: int
    digest: str


class StageWeight(Record):
    """One stage and the sum over the files of its tree. ``shipped``: it is the image."""

    title: str
    base: str
    size: int
    shipped: bool


def stage_lines(graph: StageGraph) -> list[str]:
    """The stage graph as text: a box a stage, an arrow a dependency, in the order of building.

    The last box is the image.
    """
    lines: list[str] = []
    titles = {stage.index: stage.title for stage in graph.stages}
    for stage in graph.stages:
        mark = "■" if stage.index == graph.target.index else "□"
        lines.append(f"{mark} {stage.title}   FROM {stage.base}")
        arrows = [
            (dependency.use.value, titles[dependency.origin.index], dependency.span.line)
            for dependency in stage.dependencies
            if isinstance(dependency.origin, StageBase)
        ]
        for position, (use, title, line) in enumerate(arrows):
            corner = "└" if position == len(arrows) - 1 else "├"
            lines.append(f"  {corner}◀── {title}   ({use}, line {line})")
    lines += [f"· {stage.title}   not needed for {graph.target.title}" for stage in graph.unused]
    return lines


def layer_rows(image: Image, store: Store, records: Records) -> list[LayerRow]:
    """The layers of an image, base first."""
    made_by = [entry.created_by for entry in image.history if not entry.empty_layer]
    missing = len(image.layers) - len(made_by)
    lines = ["(no history)"] * missing + made_by
    return [
        LayerRow(
            line.removesuffix(" # buildkit"),
            layer_entries(store, layer.diff_id, records),
            layer.descriptor.size,
            layer.diff_id,
        )
        for line, layer in zip(lines, image.layers, strict=False)
    ]


def weights(build: Build) -> list[StageWeight]:
    """What every stage weighs; the target last."""
    target = build.recipe.graph.target.index
    ordered = sorted(build.result.stages, key=lambda stage: (stage.index == target, stage.index))
    return [
        StageWeight(stage.title, stage.base, build.weight(stage), stage.index == target) for stage in ordered
    ]


def show(
    session: Session,
    build: Build,
    rows: Sequence[LayerRow],
    weighed: Sequence[StageWeight],
    waste: Waste,
    told: Sequence[FindingTold],
) -> None:
    """Print the stages, the layers, what was shipped, what of it is wasted, and what lint says."""
    session.print("Stages")
    for line in stage_lines(build.recipe.graph):
        session.print(f"  {line}")
    session.print("")
    cells = [[_cut(row.instruction), row.entries, size(row.size), short(row.digest)] for row in rows]
    session.table(
        ["INSTRUCTION", "ENTRIES", "SIZE", "DIFF ID"],
        cells,
        title="Layers of the image, base first; sizes of their tars",
    )
    session.print("")
    for stage in weighed:
        verb = "was shipped" if stage.shipped else "was used and left behind"
        session.print(f"{stage.title} ({stage.base}): {size(stage.size)} of files {verb}")
    for line in waste_lines(waste, [row.instruction for row in rows]):
        session.print(line)
    scale = max(stage.image.scale for stage in build.result.stages)
    if scale != 1:
        session.print(scaled(scale))
    if told:
        session.print("")
        session.print(f"Lint: {len(told)} found (layerlab lint --rules explains)")
        for each in told:
            session.print(f"  {each}")


def waste_lines(waste: Waste, instructions: Sequence[str]) -> list[str]:
    """What nobody can see of an image, and where it is. ``instructions``: one for each layer, base first."""
    if not waste.wasted_bytes:
        return ["Nothing is wasted: all of it can be seen."]
    lines = [f"Wasted: {size(waste.wasted_bytes)} of {size(waste.size_bytes)} in files can be seen by nobody"]
    for each in waste.largest:
        if each.size_bytes * _WORTH_A_LINE >= waste.size_bytes:
            made, hid = (_cut(instructions[layer], _SHORT) for layer in (each.layer, each.by))
            where = f"layer {each.layer} ({made}), hidden by layer {each.by} ({hid})"
            lines.append(f"  {size(each.size_bytes)} {each.path}: {where}")
    return lines


def _cut(text: str, length: int = _INSTRUCTION_CHARACTERS) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
