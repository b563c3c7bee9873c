"""F3: each layer begins where the one below ends, and what nobody sees is hatched."""

from __future__ import annotations

from itertools import pairwise

from course.figures import size_waterfall
from course.figures.scene import Box
from course.laboratory import Laboratory

DOCKERFILE = "FROM alpine\nRUN head -c 50000 /dev/zero > /x\nRUN head -c 20000 /dev/zero > /y && rm /x\n"


def test_bytes_add_up_and_are_those_of_the_analysis() -> None:
    built = Laboratory().build(DOCKERFILE)
    (image,) = size_waterfall.spec({"x": built.weighed()})["images"]

    assert [(layer["bytes"], layer["dead"]) for layer in image["layers"][1:]] == [(50000, 50000), (20000, 0)]
    assert (image["bytes"], image["dead"]) == (built.tree().size_bytes, built.tree().wasted_bytes)
    for one, other in pairwise(image["layers"]):
        assert other["below"] == one["below"] + one["bytes"]


def test_bars_of_all_images_are_on_one_scale() -> None:
    small, large = (Laboratory().build(text) for text in ("FROM alpine\n", DOCKERFILE))
    spec = size_waterfall.spec({"small": small.weighed(), "large": large.weighed()})

    bars = [
        shape for shape in size_waterfall.scene(spec).shapes if isinstance(shape, Box) and shape.radius == 0
    ]
    first, again = bars[0], bars[2]
    assert first.w == again.w  # the base of both
    dead = next(bar for bar in bars if bar.hatched)
    assert round(dead.w / first.w, 3) == round(50000 / spec["images"][0]["bytes"], 3)


def test_the_text_names_what_is_in_no_view() -> None:
    told = size_waterfall.as_text(size_waterfall.spec({"x": Laboratory().build(DOCKERFILE).weighed()}))

    assert "50.0 kB  RUN head -c 50000 /dev/zero > /x  ▨ 50.0 kB in no view" in told


def test_no_image_is_a_picture_too() -> None:
    assert size_waterfall.as_text(size_waterfall.spec({})) == "no image"
    assert size_waterfall.as_svg(size_waterfall.spec({})).startswith("<svg")
