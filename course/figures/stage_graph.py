"""F2: the stages of a build. A column is a stage, a box a step, a bar its bytes, purple what COPY carries."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from builder.events import (
    BuildBegan,
    CacheHit,
    CacheMissed,
    Event,
    LayerMade,
    StageBegan,
    StageDone,
    StepDone,
)
from builder.image.analysis import ImageTree
from course.figures import mpl, svg
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.stage_graph_layout import bytes_text, lay_out, name_of
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]

COPY_FROM: Final = re.compile(r"--from=(\S+)")


@dataclass(slots=True)
class _Step:
    text: str
    cached: bool | None = None
    bytes: int = 0
    dead: int = 0
    seconds: float | None = None
    why: str = ""


@dataclass(slots=True)
class _Stage:
    name: str
    base: str
    steps: list[_Step]
    depends_on: tuple[int, ...]
    bytes: int = 0
    base_bytes: int = 0
    base_dead: int = 0


def nothing_dead(_diff_id: str) -> int:
    """0: no byte of the layer is known to be hidden."""
    return 0


def dead_of(diff_ids: Sequence[str], found: ImageTree) -> Callable[[str], int]:
    """How many bytes of a layer of the image no view shows, by its DiffID. ``found``: of all layers."""
    dead = {name: layer.hidden_bytes for name, layer in zip(diff_ids, found.layers, strict=False)}
    return lambda diff_id: dead.get(diff_id, 0)


def of(
    events: Iterable[Event], size_of: Callable[[str], int], dead_in: Callable[[str], int] = nothing_dead
) -> Picture:
    """The figure of one build; see ``spec``."""
    return Picture(sys.modules[__name__], spec(events, size_of, dead_in))


def spec(
    events: Iterable[Event], size_of: Callable[[str], int], dead_in: Callable[[str], int] = nothing_dead
) -> dict[str, Any]:
    """The facts of the figure from the events of one build; the last stage is the one that is shipped.

    ``size_of``: a DiffID → the bytes of that layer's tar. A stage weighs the sum of its layers.
    ``dead_in``: a DiffID → how many of its bytes no view of the image shows.
    ``first_miss`` of a stage: the step from which on all steps about files had to be done, if there are more,
    and something else was known.
    """
    stages: dict[int, _Stage] = {}
    title = ""
    for event in events:
        match event:
            case BuildBegan(target=target, stages=planned):
                title = target if target and not target.isdigit() else ""
                for plan in planned:
                    steps = [_Step(text) for text in plan.steps]
                    stages[plan.index] = _Stage(plan.name, plan.base, steps, plan.depends_on)
            case StageBegan(layers=layers):
                stages[event.stage].base_bytes = sum(map(size_of, layers))
                stages[event.stage].base_dead = sum(map(dead_in, layers))
            case CacheHit(diff_id=diff_id):
                step = stages[event.stage].steps[event.step - 1]
                step.cached, step.bytes = True, size_of(diff_id) if diff_id else 0
                step.dead = dead_in(diff_id) if diff_id else 0
            case CacheMissed():
                step = stages[event.stage].steps[event.step - 1]
                step.cached, step.why = False, event.why
            case LayerMade(diff_id=diff_id):
                step = stages[event.stage].steps[event.step - 1]
                step.bytes, step.dead = event.size, dead_in(diff_id)
            case StepDone():
                stages[event.stage].steps[event.step - 1].seconds = event.seconds or None
            case StageDone(layers=layers):
                stages[event.stage].bytes = sum(map(size_of, layers))
            case _:
                pass
    return {
        "figure": "stage-graph",
        "target": title,
        "stages": _columns(stages),
        "edges": list(_edges(stages)),
    }


def _columns(stages: Mapping[int, _Stage]) -> list[dict[str, Any]]:
    last = max(stages, default=-1)
    knew = any(step.cached for stage in stages.values() for step in stage.steps)
    return [
        {
            "name": stage.name if stage.name and not stage.name.isdigit() else "",
            "number": index,
            "shipped": index == last,
            "bytes": stage.bytes,
            "first_miss": _first_miss(stage.steps) if knew else None,
            "steps": [
                {
                    "text": step.text,
                    "cached": step.cached,
                    "bytes": step.bytes,
                    "dead": min(step.dead, step.bytes) if index == last else 0,
                    "seconds": step.seconds,
                }
                for step in [
                    _Step(f"FROM {stage.base}", bytes=stage.base_bytes, dead=stage.base_dead),
                    *stage.steps,
                ]
            ],
        }
        for index, stage in sorted(stages.items())
    ]


def _first_miss(steps: Sequence[_Step]) -> int | None:
    """The step (1 is the first after FROM) after which none was known; None if it is the last, or untrue."""
    misses = [number for number, step in enumerate(steps, 1) if step.cached is False]
    if len(misses) < 2 or any(step.cached for step in steps[misses[0] :]):
        return None
    return misses[0]


def _edges(stages: Mapping[int, _Stage]) -> Iterable[dict[str, Any]]:
    """What crosses from stage to stage; a dependency that is no COPY --from is a base (step 0)."""
    order = sorted(stages)
    names = {stages[index].name.lower(): index for index in order if stages[index].name}
    for index in order:
        met: set[int] = set()
        for number, step in enumerate(stages[index].steps, 1):
            for name in COPY_FROM.findall(step.text):
                source = int(name) if name.isdigit() else names.get(name.lower(), -1)
                if source in stages:
                    met.add(source)
                    yield _edge(stages, order, source, index, number, step.bytes)
        for source in stages[index].depends_on:
            if source in stages and source not in met:
                yield _edge(stages, order, source, index, 0, stages[source].bytes)


def _edge(
    stages: Mapping[int, _Stage], order: Sequence[int], source: int, target: int, step: int, size: int
) -> dict[str, Any]:
    return {
        "from": order.index(source),
        "to": order.index(target),
        "step": step,
        "bytes": size,
        "of": stages[source].bytes,
    }


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f2") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The stage graph as lines: stages in order, each with its steps and what it takes from others."""
    made: list[str] = []
    say = words(spec)
    names = [name_of(stage, say) for stage in spec["stages"]]
    for number, stage in enumerate(spec["stages"]):
        fate = say("figures.stages.shipped" if stage["shipped"] else "figures.stages.left")
        made.append(f"{names[number]}  {bytes_text(stage['bytes'])} ({fate})")
        for index, step in enumerate(stage["steps"]):
            crossing = [e for e in spec["edges"] if e["to"] == number and e["step"] == index]
            tail = "".join(
                f"  ◀ {names[e['from']]}: {bytes_text(e['bytes'])} / {bytes_text(e['of'])}" for e in crossing
            )
            if step["dead"]:
                tail += "  ▨ " + say("figures.stages.dead", bytes=bytes_text(step["dead"]))
            if stage["first_miss"] == index:
                tail += f"  ({say('figures.stages.first-miss')})"
            made.append(f"  {_mark(step)} {step['text']}{tail}")
    return "\n".join(made) or say("figures.stages.none")


def as_mermaid(spec: Spec) -> str:
    """The stage graph in Mermaid's flowchart language, which code forges draw."""
    made = ["flowchart LR"]
    say = words(spec)
    for number, stage in enumerate(spec["stages"]):
        fate = say("figures.stages.shipped" if stage["shipped"] else "figures.stages.left")
        title = f"{_quoted(name_of(stage, say))}: {bytes_text(stage['bytes'])}, {fate}"
        made.append(f'  subgraph s{number}["{title}"]')
        made.append("    direction TB")
        for index, step in enumerate(stage["steps"]):
            made.append(f'    s{number}_{index}["{_mark(step)} {_quoted(step["text"][:60])}"]')
        made += [
            f"    s{number}_{index} --> s{number}_{index + 1}" for index in range(len(stage["steps"]) - 1)
        ]
        made.append("  end")
    for edge in spec["edges"]:
        last = len(spec["stages"][edge["from"]]["steps"]) - 1
        told = f"{bytes_text(edge['bytes'])} / {bytes_text(edge['of'])}"
        made.append(f'  s{edge["from"]}_{last} ==>|"{told}"| s{edge["to"]}_{edge["step"]}')
    return "\n".join(made) + "\n"


def scene(spec: Spec) -> Scene:
    """The figure laid out: stages side by side, each pushed down so that what it copies lies above it."""
    return lay_out(spec, as_text(spec))


def _quoted(text: str) -> str:
    """Text inside Mermaid's double quotes: its own entity codes, so that no label ends early."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        char if char.isalnum() or char in " ./-_:,=+@" else f"#{ord(char)};" if char.isprintable() else " "
        for char in shown
    )


def _mark(step: Mapping[str, Any]) -> str:
    return {True: "✓", False: "✗", None: "·"}[step["cached"]]
