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
from course.figures import mpl, palette, svg
from course.figures.lettering import Face, fit, width
from course.figures.picture import Picture
from course.figures.scene import Box, Line, Scene, Stroke, Text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]

COPY_FROM: Final = re.compile(r"--from=(\S+)")
BOX_WIDTH: Final = 244
BOX_HEIGHT: Final = 56
PITCH: Final = 82
LANE: Final = 424
BAR: Final = 84
LEFT: Final = 40
TOP: Final = 96


def bytes_text(size: int) -> str:
    """A size for people, in powers of 1000 as docker prints it.

    >>> bytes_text(0), bytes_text(2_200_000)
    ('0 B', '2.2 MB')
    """
    amount, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount, units = amount / 1000, units[1:]
    return f"{amount:.0f} {units[0]}" if units[0] == "B" or amount >= 100 else f"{amount:.1f} {units[0]}"


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


def _quoted(text: str) -> str:
    """Text inside Mermaid's double quotes: its own entity codes, so that no label ends early."""
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(
        char if char.isalnum() or char in " ./-_:,=+@" else f"#{ord(char)};" if char.isprintable() else " "
        for char in shown
    )


def _mark(step: Mapping[str, Any]) -> str:
    return {True: "✓", False: "✗", None: "·"}[step["cached"]]


def scene(spec: Spec) -> Scene:
    """The figure laid out: stages side by side, each pushed down so that what it copies lies above it."""
    stages, edges = spec["stages"], spec["edges"]
    tops = _tops(stages, edges)
    bottom = max((tops[n] + len(stage["steps"]) for n, stage in enumerate(stages)), default=1)
    lanes = len(edges)
    floor = TOP + bottom * PITCH
    size = (max(LEFT * 2 + len(stages) * LANE, 980), floor + 44 * lanes + 76)
    drawn = Scene(spec["title"], as_text(spec), *size)
    drawn.add(Text(x=20, y=34, text=fit(spec["title"], size[0] - 40, 18, Face.BOLD), size=18, face=Face.BOLD))
    largest = max((step["bytes"] for stage in stages for step in stage["steps"]), default=0)
    for number, stage in enumerate(stages):
        _stage(drawn, number, tops[number], stage, largest)
    for lane, edge in enumerate(edges):
        _crossing(drawn, tops, stages, edge, floor + 24 + 44 * lane, lane)
    if not stages:
        drawn.add(Text(x=LEFT, y=TOP, text="no stages", fill=palette.MUTED))
    _legend(drawn, size[1] - 30)
    return drawn


def _tops(stages: Sequence[Mapping[str, Any]], edges: Sequence[Mapping[str, Any]]) -> list[int]:
    """The row in which each stage begins."""
    tops = [0] * len(stages)
    for number in range(len(stages)):
        for edge in edges:
            if edge["to"] == number:
                ready = tops[edge["from"]] + len(stages[edge["from"]]["steps"]) - 2 - edge["step"]
                tops[number] = max(tops[number], ready, 0)
    return tops


def _stage(drawn: Scene, number: int, top: int, stage: Mapping[str, Any], largest: int) -> None:
    left, y = LEFT + number * LANE, TOP + top * PITCH
    fate = "shipped" if stage["shipped"] else "left behind"
    heading = f"{stage['name']}  {bytes_text(stage['bytes'])}, {fate}"
    drawn.add(
        Text(
            x=left,
            y=y - 14,
            text=fit(heading, LANE - 30, 15, Face.BOLD),
            size=15,
            face=Face.BOLD,
            tip=heading,
        )
    )
    for index, step in enumerate(stage["steps"]):
        place = y + index * PITCH
        _step(drawn, left, place, step, "base image" if index == 0 else "config only, no layer")
        _bar(drawn, left + BOX_WIDTH + 8, place, step["bytes"], largest, stage)
        if index:
            middle = left + BOX_WIDTH / 2
            points = ((middle, place - PITCH + BOX_HEIGHT), (middle, place - 2))
            drawn.add(Line(points=points, line="#555555", line_width=1.5, arrow=True))


def _step(drawn: Scene, left: float, y: float, step: Mapping[str, Any], neither: str) -> None:
    cached = step["cached"]
    colour = {True: palette.GREEN, False: palette.VERMILION, None: "#888888"}[cached]
    seconds = "" if step["seconds"] is None or cached else f"  {step['seconds']:.2f} s"
    words = {True: "✓ cache hit", False: f"✗ cache miss{seconds}", None: neither}[cached]
    drawn.add(
        Box(
            x=left,
            y=y,
            w=BOX_WIDTH,
            h=BOX_HEIGHT,
            line=colour,
            line_width=2.8,
            stroke=Stroke.DASHED if cached is False else Stroke.SOLID,
            tip=step["text"],
        ),
        Text(
            x=left + 12,
            y=y + 24,
            text=fit(step["text"], BOX_WIDTH - 24, 11.5, Face.MONO),
            size=11.5,
            face=Face.MONO,
        ),
        Text(x=left + 12, y=y + 43, text=words, size=11.5, face=Face.BOLD, fill=colour),
    )


def _bar(drawn: Scene, left: float, y: float, size: int, largest: int, stage: Mapping[str, Any]) -> None:
    """Length as the square root of the bytes, so that small layers can be seen beside a base image."""
    long = max(BAR * (size / largest) ** 0.5 if largest else 0, 1)
    colour = palette.BLUE if stage["shipped"] else "#888888"
    drawn.add(
        Box(
            x=left,
            y=y + 17,
            w=long,
            h=22,
            fill=palette.BLUE if stage["shipped"] else palette.WHITE,
            line=colour,
            hatched=not stage["shipped"] and long > 1,
            radius=0,
            line_width=1,
        ),
        Text(x=left + long + 7, y=y + 33, text=bytes_text(size), size=11),
    )


def _crossing(
    drawn: Scene,
    tops: Sequence[int],
    stages: Sequence[Mapping[str, Any]],
    edge: Mapping[str, Any],
    floor: float,
    lane: int,
) -> None:
    """An edge: down from the source's last step, along its own lane, up to the step that copies."""
    source, target = edge["from"], edge["to"]
    start = LEFT + source * LANE + 24 + 14 * lane
    leave = TOP + (tops[source] + len(stages[source]["steps"]) - 1) * PITCH + BOX_HEIGHT
    turn = LEFT + target * LANE - 24 - 8 * (lane % 3)
    arrive = TOP + (tops[target] + edge["step"]) * PITCH + BOX_HEIGHT / 2
    what = "COPY --from" if edge["step"] else "FROM"
    words = f"{what}: {bytes_text(edge['bytes'])} of {bytes_text(edge['of'])} crosses"
    drawn.add(
        Line(
            points=(
                (start, leave),
                (start, floor),
                (turn, floor),
                (turn, arrive),
                (LEFT + target * LANE - 2, arrive),
            ),
            line=palette.PURPLE,
            line_width=3.5,
            arrow=True,
        ),
        Text(
            x=start + 12,
            y=floor + 18,
            text=fit(words, LANE - 60, 11.5, Face.BOLD),
            size=11.5,
            face=Face.BOLD,
            fill=palette.DARK_PURPLE,
        ),
    )


def _legend(drawn: Scene, y: float) -> None:
    x = float(LEFT)
    for words, colour, stroke in (
        ("✓ cache hit", palette.GREEN, Stroke.SOLID),
        ("✗ cache miss", palette.VERMILION, Stroke.DASHED),
    ):
        drawn.add(
            Line(points=((x, y - 4), (x + 30, y - 4)), line=colour, line_width=3, stroke=stroke),
            Text(x=x + 38, y=y, text=words, size=11.5),
        )
        x += 38 + width(words, 11.5) + 26
    for words, hatched in (("shipped in the image", False), ("left behind (bar length ∝ √bytes)", True)):
        drawn.add(
            Box(
                x=x,
                y=y - 14,
                w=26,
                h=16,
                fill=palette.WHITE if hatched else palette.BLUE,
                line="#888888" if hatched else palette.BLUE,
                hatched=hatched,
                radius=0,
            ),
            Text(x=x + 34, y=y, text=words, size=11.5),
        )
        x += 34 + width(words, 11.5) + 26
