"""The explorer: one page that takes an image apart. Inline SVG, a little script, no network, any browser.

What it shows is data computed here; the page only stacks, opens and closes.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from builder.engine.stage import COMMENT
from builder.events import BuildBegan, CacheHit, CacheMissed, Event, LayerMade, StageBegan, StepDone
from builder.image.analysis import Held, ImageTree, Kind, analyse
from builder.image.digest import short
from builder.image.image import Image
from builder.world.scale import SCALE
from course.catalogue import LANGUAGES, Catalogue
from course.figures import stage_graph
from unionfs_sim.layers.layer import Layer

MOST_WASTED: Final = 30
TEMPLATE: Final = Path(__file__).with_name("explorer.html")


def page(
    title: str,
    image: Image,
    layers: Sequence[Layer],
    *,
    events: Sequence[Event] = (),
    size_of: Callable[[str], int] = lambda _diff_id: 0,
    tree: ImageTree | None = None,
    language: str = "en",
) -> str:
    """The page as HTML. ``layers``: base first; ``events``: of the build that made the image, if known.

    ``tree``: what ``analyse`` found in the layers, if somebody has asked it already.
    """
    found = tree or analyse(layers)
    graph = ""
    if any(isinstance(event, BuildBegan) for event in events):
        drawn = stage_graph.spec(events, size_of, stage_graph.dead_of(image.diff_ids, found))
        graph = stage_graph.as_svg({**drawn, "language": language}, prefix="graph")
    text = TEMPLATE.read_text(encoding="utf-8")
    shown = html.escape(_shown(title))
    text = text.replace("<title>layerlab explorer</title>", f"<title>{shown} – layerlab</title>")
    text = text.replace("<!--GRAPH-->", graph)
    return text.replace("/*DATA*/", _embedded(data(title, image, found, events=events, language=language)))


def data(
    title: str, image: Image, found: ImageTree, *, events: Sequence[Event] = (), language: str = "en"
) -> dict[str, Any]:
    """All that the page knows, as JSON can hold it."""
    made_by = [entry.created_by for entry in image.history if not entry.empty_layer]
    made_by = ["(no history)"] * (len(found.layers) - len(made_by)) + made_by
    return {
        "title": _shown(title),
        "language": language,
        "sentences": {each: dict(_sentences(each)) for each in LANGUAGES},
        "facts": list(_facts(image, found)),
        "layers": [
            {
                "created_by": _shown(line),
                "bytes": layer.size_bytes,
                "entries": layer.entries,
                "wasted": layer.hidden_bytes,
            }
            for line, layer in zip(made_by, found.layers, strict=False)
        ],
        "paths": [
            [_shown(path), [_says(held) for held in record.held]] for path, record in found.paths.items()
        ],
        "config": configuration(image),
        "wasted": list(_wasted(found)),
        "steps": steps(events, list(image.diff_ids)),
    }


def _facts(image: Image, found: ImageTree) -> Iterator[list[object]]:
    """The line below the title: [sentence, value]; bytes are numbers."""
    yield ["digest", short(image.id)]
    yield ["size", found.size_bytes]
    yield ["visible", found.size_bytes - found.wasted_bytes]
    if found.size_bytes:
        yield ["efficiency", f"{100 * (1 - found.wasted_bytes / found.size_bytes):.1f} %"]
    if any(entry.comment == COMMENT for entry in image.history):
        yield ["scale", str(SCALE)]


def steps(events: Sequence[Event], diff_ids: Sequence[str]) -> list[dict[str, Any]]:
    """The steps of a build. ``layers``: how many layers of the image there are after it; None elsewhere."""
    made: dict[tuple[int, int], dict[str, Any]] = {}
    target = -1
    bases: dict[int, int] = {}
    for event in events:
        match event:
            case BuildBegan(stages=planned):
                target = planned[-1].index if planned else -1
                for stage in planned:
                    for number, text in enumerate(stage.steps, 1):
                        made[stage.index, number] = {
                            "stage": stage.name or f"stage {stage.index}",
                            "text": _shown(text),
                            "cached": None,
                            "seconds": None,
                            "why": "",
                            "bytes": 0,
                            "layers": None,
                            "diff_id": None,
                        }
            case StageBegan(stage=stage_index, layers=layers):
                bases[stage_index] = len(layers)
            case CacheHit():
                made[event.stage, event.step].update(cached=True, diff_id=event.diff_id)
            case CacheMissed():
                made[event.stage, event.step].update(cached=False, why=_shown(event.why))
            case LayerMade():
                made[event.stage, event.step].update(diff_id=event.diff_id, bytes=event.size)
            case StepDone():
                made[event.stage, event.step]["seconds"] = event.seconds
            case _:
                pass
    depth = bases.get(target, 0)
    for (stage_index, _), step in made.items():
        if stage_index == target:
            if step["diff_id"] is not None and depth < len(diff_ids) and diff_ids[depth] == step["diff_id"]:
                depth += 1
            step["layers"] = depth
        del step["diff_id"]
    return list(made.values())


def _says(held: Held) -> list[object]:
    """What one layer says: [layer, what, bytes, mode, owner, target], the usual at the end left out."""
    what = "opaque" if held.opaque else held.kind.value
    said: list[object] = [held.layer, what, held.size_bytes]
    if held.kind is Kind.WHITEOUT:
        return said
    said += [f"{held.mode:04o}", f"{held.owner[0]}:{held.owner[1]}", _shown(held.target)]
    for usual in ("", "0:0", _USUAL[held.kind is Kind.DIRECTORY]):
        if said[-1] != usual:
            break
        said.pop()
    return said


_USUAL: Final = ("0644", "0755")
"""The mode that is not written for every file, and for every directory."""


def configuration(image: Image) -> list[list[object]]:
    """What a container of the image is started with: [sentence, lines], without what is not set."""
    config = image.config
    lines: dict[str, Sequence[str]] = {
        "entrypoint": [json.dumps(config.entrypoint, ensure_ascii=False)] if config.entrypoint else [],
        "cmd": [json.dumps(config.cmd, ensure_ascii=False)] if config.cmd else [],
        "user": [config.user] if config.user else [],
        "workdir": [config.working_dir] if config.working_dir else [],
        "env": [f"{name}={value}" for name, value in config.env.items()],
        "ports": config.exposed_ports,
        "volumes": config.volumes,
        "labels": [f"{name}={value}" for name, value in config.labels.items()],
        "stop-signal": [config.stop_signal] if config.stop_signal else [],
        "healthcheck": [json.dumps(config.healthcheck.test)] if config.healthcheck else [],
        "shell": [json.dumps(config.shell)] if config.shell else [],
        "on-build": config.on_build,
        "platform": [str(image.platform)],
    }
    return [[name, list(map(_shown, each))] for name, each in lines.items() if each]


def _wasted(found: ImageTree) -> Iterator[list[object]]:
    """The largest hidden files: [path, layer, bytes, hiding layer]."""
    hidden = [
        (held.size_bytes, record, held)
        for record in found.paths.values()
        for held in record.held
        if held.hidden and held.size_bytes
    ]
    hidden.sort(key=lambda each: (-each[0], each[1].path, each[2].layer))
    for size, record, held in hidden[:MOST_WASTED]:
        yield [_shown(record.path), held.layer, size, held.hidden_by]


def _sentences(language: str) -> Iterator[tuple[str, str]]:
    table = Catalogue.read(language).sentences["explorer"]
    assert isinstance(table, dict)
    yield from table.items()


def _shown(text: str) -> str:
    """Text that JSON and a page can hold: names of files may hold any byte."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _embedded(document: object) -> str:
    """JSON that cannot end the script element that holds it."""
    plain = json.dumps(document, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return plain.replace("<", "\\u003c").replace("&", "\\u0026")
