"""F4: why a step was known or not, two builds compared. A row is a step, a column a kind of its inputs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from builder.events import BuildBegan, CacheHit, CacheMissed, Event, StepDone
from course.figures import mpl, svg
from course.figures.cache_comparison_layout import lay_out, told_why
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]
Inputs: TypeAlias = Sequence[tuple[str, str]]

KINDS: Final = ("below", "instruction", "environment", "files")
"""The kinds of inputs of a cache key, in its order."""

_BELOW: Final = "the layers below"
_VARIABLE: Final = ("variable ", "argument ")
_FILES: Final = ("file ", "source ", "what ", "one of many", "the mount")
_RUNS: Final = "what runs it"


@dataclass(slots=True)
class _Step:
    text: str
    inputs: Inputs = ()
    cached: bool | None = None
    seconds: float = 0.0


@dataclass(slots=True)
class _Build:
    steps: dict[tuple[str, int], _Step] = field(default_factory=dict)


def of(
    before: Iterable[Event], after: Iterable[Event], seconds: Mapping[str, float] | None = None
) -> Picture:
    """The figure of two builds; see ``spec``."""
    return Picture(sys.modules[__name__], spec(before, after, seconds))


def spec(
    before: Iterable[Event], after: Iterable[Event], seconds: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """The facts of the figure from the events of two builds: what of each step's cache key is another now.

    ``seconds``: how long a step takes, by how its text begins; None: as long as in the build that did it (0:
    it was not measured). Steps that have no cache of their own are left out.
    """
    old, new = _read(before), _read(after)
    rows = [
        _row(place, step, old.steps.get(place), seconds)
        for place, step in new.steps.items()
        if step.cached is not None
    ]
    return {
        "figure": "cache-comparison",
        "steps": rows,
        "saved": sum(row["seconds"] for row in rows if row["cached"]),
        "spent": sum(row["seconds"] for row in rows if not row["cached"]),
    }


def _read(events: Iterable[Event]) -> _Build:
    build = _Build()
    names: dict[int, str] = {}
    for event in events:
        match event:
            case BuildBegan(stages=stages):
                names = {stage.index: stage.name or str(stage.index) for stage in stages}
                for stage in stages:
                    for number, text in enumerate(stage.steps, 1):
                        build.steps[names[stage.index], number] = _Step(
                            " ".join(text.replace("\\\n", " ").split())
                        )
            case CacheHit() | CacheMissed():
                step = build.steps[names[event.stage], event.step]
                step.cached, step.inputs = isinstance(event, CacheHit), event.inputs
            case StepDone():
                build.steps[names[event.stage], event.step].seconds = event.seconds
            case _:
                pass
    return build


def _row(
    place: tuple[str, int], step: _Step, before: _Step | None, seconds: Mapping[str, float] | None
) -> dict[str, Any]:
    is_new = before is None or before.cached is None
    changed = [] if is_new or before is None else list(_changes(before.inputs, step.inputs))
    if seconds is None:
        took = (before.seconds if before else 0.0) if step.cached else step.seconds
    else:
        took = next((each for start, each in seconds.items() if step.text.startswith(start)), 0.0)
    return {
        "stage": place[0],
        "number": place[1],
        "text": step.text,
        "was": before.text if before and before.text != step.text else "",
        "cached": step.cached,
        "inputs": {kind: _state(kind, step.inputs, changed) for kind in KINDS},
        "first": changed[0] if changed else "",
        "is_new": is_new,
        "seconds": took,
    }


def _changes(before: Inputs, now: Inputs) -> Iterator[str]:
    """Names of the inputs that are new, other or gone, in the order of the cache key."""
    old, current = dict(before), dict(now)
    yield from (name for name, digest in now if old.get(name) != digest)
    yield from (name for name in old if name not in current)


def _state(kind: str, inputs: Inputs, changed: Sequence[str]) -> str:
    """``same``, ``changed``, ``first`` (the first of all that changed), or ``none``: no such input."""
    if changed and kind_of(changed[0]) == kind:
        return "first"
    if any(kind_of(name) == kind for name in changed):
        return "changed"
    return "same" if any(kind_of(name) == kind for name, _ in inputs) else "none"


def kind_of(name: str) -> str:
    """The kind of an input of a cache key.

    >>> kind_of("file /index.html"), kind_of("the command")
    ('files', 'instruction')
    """
    if name == _BELOW:
        return "below"
    if name.startswith(_VARIABLE):
        return "environment"
    return "files" if name != _RUNS and name.startswith(_FILES) else "instruction"


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f4") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


_SIGNS: Final = {"same": "=", "changed": "≠", "first": "≠", "none": "·"}


def as_text(spec: Spec) -> str:
    """The figure as lines: a step, whether it was known, its kinds of inputs, and what changed first."""
    say = words(spec)
    made: list[str] = []
    for row in spec["steps"]:
        known = say("figures.stages.hit" if row["cached"] else "figures.stages.miss")
        kinds = ", ".join(
            f"{say(f'figures.cache.kinds.{kind}')} {_SIGNS[state]}"
            for kind, state in row["inputs"].items()
            if state != "none"
        )
        why = "" if row["cached"] else f": {told_why(row, say)}"
        made.append(f"{'✓' if row['cached'] else '✗'} {row['text']}  {known}{why}  ({kinds})")
    if spec["saved"] or spec["spent"]:
        made.append(say("figures.cache.sum", saved=spec["saved"], spent=spec["spent"]))
    return "\n".join(made) or say("figures.cache.none")


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    return lay_out(spec, as_text(spec))
