"""F2: what a build's events say is what the graph shows."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from builder.events import (
    BuildBegan,
    CacheHit,
    CacheMissed,
    Event,
    LayerMade,
    StageBegan,
    StageDone,
    StagePlanned,
    StepDone,
)
from course.figures import stage_graph


def a_build(stages: int = 2, steps: int = 3) -> list[Event]:
    planned = []
    for index in range(stages):
        texts = [f"RUN command-number-{n} --with-a-rather-long-option=value" for n in range(steps)]
        if index:
            texts[-1] = f"COPY --from=stage{index - 1} /out /in"
        planned.append(
            StagePlanned(index, f"stage{index}", "alpine", (index - 1,) if index else (), tuple(texts))
        )
    events: list[Event] = [BuildBegan("SIMULATED", "web", tuple(planned))]
    for index in range(stages):
        events.append(StageBegan(index, "alpine", ("sha256:base",)))
        for step in range(1, steps + 1):
            events.append(CacheHit(index, step, None) if step == 1 else CacheMissed(index, step, "the text"))
            events.append(LayerMade(index, step, "sha256:0", 10 ** (step + 3)))
            events.append(StepDone(index, step, 0.25, changed_files=True))
        events.append(StageDone(index, ("sha256:base", f"sha256:stage{index}")))
    return events


SIZES = {"sha256:base": 7_000_000, "sha256:stage0": 2_000_000}


def size_of(diff_id: str) -> int:
    return SIZES.get(diff_id, 0)


def test_only_the_last_stage_is_shipped() -> None:
    spec = stage_graph.spec(a_build(3), size_of)

    assert [stage["shipped"] for stage in spec["stages"]] == [False, False, True]


def test_an_edge_carries_the_bytes_of_the_copy_and_the_bytes_it_left() -> None:
    spec = stage_graph.spec(a_build(), size_of)

    assert spec["edges"] == [{"from": 0, "to": 1, "step": 3, "bytes": 1_000_000, "of": 9_000_000}]


def test_a_stage_built_on_a_stage_has_an_edge_to_its_base() -> None:
    planned = (StagePlanned(0, "a", "alpine", (), ("RUN x",)), StagePlanned(1, "b", "a", (0,), ("RUN y",)))

    spec = stage_graph.spec([BuildBegan("SIMULATED", "", planned)], size_of)

    assert [(edge["from"], edge["to"], edge["step"]) for edge in spec["edges"]] == [(0, 1, 0)]


@pytest.mark.parametrize(("stages", "steps"), [(1, 1), (2, 3), (6, 12), (12, 2)])
def test_no_text_overlaps_another(stages: int, steps: int) -> None:
    scene = stage_graph.scene(stage_graph.spec(a_build(stages, steps), size_of))

    boxes = [(text.text, text.bounds()) for text in scene.texts()]
    overlaps = [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
    ]
    assert overlaps == []
    assert all(bounds[2] <= scene.width and bounds[3] <= scene.height for _, bounds in boxes)


def test_a_hit_and_a_miss_differ_in_glyph_and_stroke() -> None:
    drawn = stage_graph.as_svg(stage_graph.spec(a_build(), size_of))

    assert ET.fromstring(drawn).tag.endswith("svg")
    assert "✓ cache hit" in drawn
    assert "✗ cache miss 0.25 s" in drawn.replace("  ", " ")
    assert drawn == stage_graph.as_svg(stage_graph.spec(a_build(), size_of))


def test_mermaid_quotes_what_would_end_a_label() -> None:
    planned = (StagePlanned(0, "a", "alpine", (), ('CMD ["x"]',)),)

    text = stage_graph.as_mermaid(stage_graph.spec([BuildBegan("SIMULATED", "", planned)], size_of))

    assert "CMD #91;#34;x#34;#93;" in text


def test_no_stages_is_a_picture_too() -> None:
    spec = stage_graph.spec([], size_of)

    assert stage_graph.as_text(spec) == "no stages"
    assert stage_graph.draw(spec).texts


def test_the_first_miss_is_told_where_every_later_step_missed_too() -> None:
    from course.laboratory import Laboratory

    laboratory = Laboratory()
    dockerfile = "FROM alpine\nRUN echo a > /a\nCOPY b /b\nRUN cat /b > /c\nRUN true\n"
    cold = laboratory.build(dockerfile, {"b": "1"}).stage_graph()
    warm = laboratory.build(dockerfile, {"b": "2"}).stage_graph()

    assert [stage["first_miss"] for stage in warm.spec["stages"]] == [2]
    assert "first miss: every later step misses too" in warm._repr_svg_()
    assert "first miss" not in cold._repr_svg_()


def test_a_miss_after_which_something_was_known_is_not_told_to_spread() -> None:
    planned = (StagePlanned(0, "a", "alpine", (), ("COPY a a", "RUN x", "RUN y")),)
    events: list[Event] = [
        BuildBegan("SIMULATED", "", planned),
        CacheMissed(0, 1, "file"),
        CacheHit(0, 2, None),
    ]

    assert stage_graph.spec([*events, CacheMissed(0, 3, "")], size_of)["stages"][0]["first_miss"] is None


def test_bytes_that_no_view_shows_are_hatched_though_they_are_shipped() -> None:
    from course.figures.scene import Box
    from course.laboratory import Laboratory

    built = Laboratory().build("FROM alpine\nRUN head -c 90000 /dev/zero > /x\nRUN rm /x\n")
    picture = built.stage_graph()

    steps = picture.spec["stages"][0]["steps"]
    assert [step["dead"] for step in steps] == [0, 90000, 0]
    bars = [
        shape for shape in stage_graph.scene(picture.spec).shapes if isinstance(shape, Box) and shape.h == 22
    ]
    assert [bar.hatched for bar in bars] == [False, True, False]
    assert "▨ 90.0 kB in no view" in str(picture)
