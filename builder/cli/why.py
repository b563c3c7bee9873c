"""``layerlab build --why`` and ``--dry-run``: which steps are known, and what changed for the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from builder.cli.progress import shortened
from builder.cli.session import Session
from builder.events import BuildBegan, CacheHit, CacheMissed, Event, StepBegan
from unionfs_sim.nodes.record import Record

if TYPE_CHECKING:
    from builder.engine.forecast import Foreseen


class StepTold(Record):
    """One step that may change files. ``where``: file and line; ``why``: "" if it was known."""

    stage: str
    step: int
    where: str
    text: str
    known: bool
    why: str


def steps_told(events: Iterable[Event]) -> list[StepTold]:
    """The steps of a build, by stage and number."""
    names: dict[int, str] = {}
    began: dict[tuple[int, int], StepBegan] = {}
    found: dict[tuple[int, int], StepTold] = {}
    for event in events:
        match event:
            case BuildBegan(stages=stages):
                names = {stage.index: stage.name for stage in stages}
            case StepBegan(stage=stage, step=step):
                began[stage, step] = event
            case CacheHit(stage=stage, step=step) | CacheMissed(stage=stage, step=step):
                known = isinstance(event, CacheHit)
                begun = began.get((stage, step))
                found[stage, step] = StepTold(
                    names.get(stage, str(stage)),
                    step,
                    begun.where if begun else "",
                    begun.text if begun else "",
                    known,
                    "" if isinstance(event, CacheHit) else event.why,
                )
    return [found[key] for key in sorted(found)]


def show(session: Session, steps: Iterable[StepTold]) -> None:
    """Print the steps as a table."""
    rows = [
        (
            f"{each.stage} {each.step}",
            each.where,
            shortened(each.text)[:48],
            "known" if each.known else each.why,
        )
        for each in steps
    ]
    session.table(("STEP", "WHERE", "INSTRUCTION", "WHY IT WAS DONE"), rows)
    session.print("")


def show_foreseen(session: Session, steps: Sequence[Foreseen], *, as_json: bool) -> None:
    """Print what each step would come to."""
    if as_json:
        from dataclasses import asdict  # a build that is known does without

        session.json({"steps": [{**asdict(each), "outlook": each.outlook.value} for each in steps]})
        return
    rows = [
        (
            f"{each.stage} {each.step}",
            each.where,
            shortened(each.text)[:48],
            f"not known: {each.why}" if each.outlook.value == "not known" else each.why or "known",
        )
        for each in steps
    ]
    session.table(("STEP", "WHERE", "INSTRUCTION", "OUTLOOK"), rows)
