"""What is said after a build: the stages as text, the layers of the image, and what each stage weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.cli.session import Session, size
from builder.dockerfile.plan.stages import StageBase, StageGraph
from builder.engine.weight import layer_entries
from builder.image.digest import short
from builder.image.image import Image
from builder.protocols import Execution, Records, Store
from builder.recipe import Build
from builder.world.scale import SCALE

_INSTRUCTION_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of an image, with the history line that made it."""

    instruction: str
    entries: int
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class StageWeight:
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


def show(session: Session, build: Build, rows: Sequence[LayerRow], weighed: Sequence[StageWeight]) -> None:
    """Print the three tables."""
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
    if build.tools.workshop.execution is Execution.SIMULATED:
        session.print(f"Programs and libraries of embedded images weigh 1/{SCALE} of the real ones.")


def _cut(text: str) -> str:
    line = " ".join(text.split())
    if len(line) <= _INSTRUCTION_CHARACTERS:
        return line
    return line[: _INSTRUCTION_CHARACTERS - 1] + "…"
