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
from course.figures import mpl, svg
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.stage_graph_layout import bytes_text, lay_out

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]

COPY_FROM: Final = re.compile(r"--from=(\S+)")


@dataclass(slots=True)
class _Step:
    text: str
    cached: bool | None = None
    bytes: int = 0
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


def of(events: Iterable[Event], size_of: Callable[[str], int]) -> Picture:
    """The figure of one build; see ``spec``."""
    return Picture(sys.modules[__name__], spec(events, size_of))


def spec(events: Iterable[Event], size_of: Callable[[str], int]) -> dict[str, Any]:
    """The facts of the figure from the events of one build; the last stage is the one that is shipped.

    ``size_of``: a DiffID → the bytes of that layer's tar. A stage weighs the sum of its layers.
    """
    stages: dict[int, _Stage] = {}
    title = "Stages of the build"
    for event in events:
        match event:
            case BuildBegan(target=target, stages=planned):
                title = f"Stages of {target}" if target and not target.isdigit() else title
                for plan in planned:
                    steps = [_Step(text) for text in plan.steps]
                    stages[plan.index] = _Stage(plan.name, plan.base, steps, plan.depends_on)
            case StageBegan(layers=layers):
                stages[event.stage].base_bytes = sum(map(size_of, layers))
            case CacheHit(diff_id=diff_id):
                step = stages[event.stage].steps[event.step - 1]
                step.cached, step.bytes = True, size_of(diff_id) if diff_id else 0
            case CacheMissed():
                step = stages[event.stage].steps[event.step - 1]
                step.cached, step.why = False, event.why
            case LayerMade():
                stages[event.stage].steps[event.step - 1].bytes = event.size
            case StepDone():
                stages[event.stage].steps[event.step - 1].seconds = event.seconds or None
            case StageDone(layers=layers):
                stages[event.stage].bytes = sum(map(size_of, layers))
            case _:
                pass
    return {
        "figure": "stage-graph",
        "title": title,
        "stages": _columns(stages),
        "edges": list(_edges(stages)),
    }


def _columns(stages: Mapping[int, _Stage]) -> list[dict[str, Any]]:
    last = max(stages, default=-1)
    return [
        {
            "name": stage.name if stage.name and not stage.name.isdigit() else f"stage {index}",
            "shipped": index == last,
            "bytes": stage.bytes,
            "steps": [
                {"text": f"FROM {stage.base}", "cached": None, "bytes": stage.base_bytes, "seconds": None}
            ]
            + [
                {"text": step.text, "cached": step.cached, "bytes": step.bytes, "seconds": step.seconds}
                for step in stage.steps
            ],
        }
        for index, stage in sorted(stages.items())
    ]


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
    for number, stage in enumerate(spec["stages"]):
        fate = "shipped" if stage["shipped"] else "left behind"
        made.append(f"{stage['name']}  {bytes_text(stage['bytes'])} ({fate})")
        for index, step in enumerate(stage["steps"]):
            crossing = [e for e in spec["edges"] if e["to"] == number and e["step"] == index]
            tail = "".join(
                f"  ◀ {spec['stages'][e['from']]['name']}: {bytes_text(e['bytes'])} of {bytes_text(e['of'])}"
                for e in crossing
            )
            made.append(f"  {_mark(step)} {step['text']}{tail}")
    return "\n".join(made) or "no stages"


def as_mermaid(spec: Spec) -> str:
    """The stage graph in Mermaid's flowchart language, which code forges draw."""
    made = ["flowchart LR"]
    for number, stage in enumerate(spec["stages"]):
        fate = "shipped" if stage["shipped"] else "left behind"
        made.append(f'  subgraph s{number}["{_quoted(stage["name"])}: {bytes_text(stage["bytes"])}, {fate}"]')
        made.append("    direction TB")
        for index, step in enumerate(stage["steps"]):
            made.append(f'    s{number}_{index}["{_mark(step)} {_quoted(step["text"][:60])}"]')
        made += [
            f"    s{number}_{index} --> s{number}_{index + 1}" for index in range(len(stage["steps"]) - 1)
        ]
        made.append("  end")
    for edge in spec["edges"]:
        last = len(spec["stages"][edge["from"]]["steps"]) - 1
        words = f"{bytes_text(edge['bytes'])} of {bytes_text(edge['of'])}"
        made.append(f'  s{edge["from"]}_{last} ==>|"{words}"| s{edge["to"]}_{edge["step"]}')
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
