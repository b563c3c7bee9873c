"""F6: how Kaniko-style building finds changes: after each RUN the root is walked, hashed and compared."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.events import BuildBegan, ChangesFound, Event, LayerMade, StepBegan
from course.figures import mpl, svg
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.snapshot_timeline_layout import found, lay_out, walked
from course.figures.words import words
from unionfs_sim.layers.layer import Layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A Kaniko-style build: its events, and its layers by DiffID."""

    events: Sequence[Event]
    layers: Mapping[str, Layer]


def of(builds: Mapping[str, Scanned]) -> Picture:
    """The figure of one Dockerfile built in several modes, by their names; see ``spec``."""
    return Picture(sys.modules[__name__], spec(builds))


def spec(builds: Mapping[str, Scanned]) -> dict[str, Any]:
    """The facts of the figure: for each mode and step of the target stage what was walked, hashed and found.

    ``missed``: paths that the first mode put into the layer of that step and this one did not. A step about
    files that was not scanned has ``looks`` 0: COPY knows what it wrote.
    """
    found = {mode: list(_steps(build)) for mode, build in builds.items()}
    first = next(iter(found.values()), [])
    for steps in found.values():
        for step, reference in zip(steps, first, strict=True):
            seen = {*step["changed"], *step["whiteouts"]}
            step["missed"] = [
                path for path in (*reference["changed"], *reference["whiteouts"]) if path not in seen
            ]
    return {
        "figure": "snapshot-timeline",
        "modes": [{"mode": mode, "steps": steps} for mode, steps in found.items()],
    }


def _steps(build: Scanned) -> Iterator[dict[str, Any]]:
    """The steps of the last stage that looked for changes or made a layer."""
    target = _target(build.events)
    step: dict[str, Any] | None = None
    for event in build.events:
        match event:
            case StepBegan(stage=stage):
                if step is not None and (step["looks"] or step["layer"]):
                    yield step
                step = None if stage != target else _begun(event.text)
            case ChangesFound() if step is not None:
                step["looks"] += 1
                step["walked"] += event.entries_scanned
                step["hashed"] += event.bytes_hashed
            case LayerMade(diff_id=diff_id) if step is not None and event.stage == target:
                layer = build.layers[diff_id]
                step["layer"] = True
                step["changed"] = sorted(_paths(layer, whiteouts=False))
                step["whiteouts"] = sorted(_paths(layer, whiteouts=True))
            case _:
                pass
    if step is not None and (step["looks"] or step["layer"]):
        yield step


def _begun(text: str) -> dict[str, Any]:
    return {
        "text": text,
        "looks": 0,
        "walked": 0,
        "hashed": 0,
        "layer": False,
        "changed": [],
        "whiteouts": [],
        "missed": [],
    }


def _target(events: Iterable[Event]) -> int:
    planned = [event.stages[-1].index for event in events if isinstance(event, BuildBegan) and event.stages]
    return planned[-1] if planned else -1


def _paths(layer: Layer, *, whiteouts: bool) -> Iterator[str]:
    """What a layer says: its files, links and empty directories, or what it deletes."""
    for path, inode in layer.inodes():
        if path != "/" and inode.is_whiteout is whiteouts and not inode.children:
            yield path


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f6") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The figure as lines: each mode, each step, what it cost and what it found."""
    say = words(spec)
    made: list[str] = []
    for mode in spec["modes"]:
        made.append(say("figures.snapshots.mode", mode=mode["mode"]))
        for step in mode["steps"]:
            parts = [walked(step, say), found(step, say)]
            if step["missed"]:
                parts.append("✗ " + say("figures.snapshots.missed", paths=", ".join(step["missed"])))
            made.append(f"  {step['text']}: {'; '.join(parts)}")
    return "\n".join(made) or say("figures.snapshots.none")


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    return lay_out(spec, as_text(spec))
