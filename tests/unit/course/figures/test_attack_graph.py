"""F5: what the model derives is what the panels show, and each panel has the same places."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from itertools import combinations

import pytest

from builder.security.approaches import APPROACHES, builder_of, pod
from builder.security.facts import settings_from, situation
from builder.security.graph import Start, reach
from course.figures import attack_graph
from course.figures.scene import Box, Text
from course.gallery import attack_graph_example

SPEC = attack_graph_example().spec
PANELS = {panel["name"]: panel for panel in SPEC["panels"]}


def steps(panel: dict, by: str) -> set[tuple[str, str]]:
    return {(step["from"], step["to"]) for step in panel["steps"] if step["by"] == by}


def test_a_node_is_coloured_by_who_reaches_it() -> None:
    for name, panel in PANELS.items():
        found = [reach(situation(pod(name), builder_of(name)), start) for start in Start]
        for node, who in panel["reached"].items():
            held = tuple(node in each for each in found)
            assert who == {(True, True): "dockerfile", (True, False): "dockerfile", (False, True): "job"}.get(
                held, "nobody"
            )


def test_the_lesson_is_in_the_picture() -> None:
    assert PANELS["docker-socket"]["reached"]["node_root"] == "job"
    assert PANELS["docker-in-docker"]["reached"]["host_block_devices"] == "job"
    assert PANELS["kaniko"]["reached"]["node_root"] == "nobody"
    assert PANELS["kaniko"]["reached"]["reg_creds"] == "dockerfile"
    assert PANELS["buildah-rootless"]["reached"]["reg_creds"] == "job"


def test_a_step_leads_between_reached_nodes_and_a_cut_one_says_what_it_needs() -> None:
    for panel in SPEC["panels"]:
        for source, target in steps(panel, "dockerfile") | steps(panel, "job"):
            assert panel["reached"][source] != "nobody"
            assert panel["reached"][target] != "nobody"
    kaniko = {(step["from"], step["to"]): step for step in PANELS["kaniko"]["steps"]}
    assert kaniko["builder_process", "host_block_devices"]["needs"] == (
        "privileged and not userns and not sandboxed"
    )


def test_every_panel_has_the_same_steps_and_the_same_places() -> None:
    drawn = [[(step["from"], step["to"]) for step in panel["steps"]] for panel in SPEC["panels"]]

    assert all(each == drawn[0] for each in drawn)
    boxes = [shape for shape in attack_graph.scene(SPEC).shapes if isinstance(shape, Box)]
    nodes = len(SPEC["nodes"])
    frames = [boxes[n * (nodes + 1)] for n in range(4)]
    places = [
        [(box.x - frame.x, box.y - frame.y) for box in boxes[n * (nodes + 1) + 1 :][:nodes]]
        for n, frame in enumerate(frames)
    ]
    assert all(each == places[0] for each in places)


def test_no_two_boxes_and_no_two_labels_overlap() -> None:
    scene = attack_graph.scene(SPEC)
    boxes = [each for each in scene.shapes if isinstance(each, Box) and each.w < 200]
    texts = [each.bounds() for each in scene.texts() if isinstance(each, Text) and each.text != "✕"]

    for one, two in combinations([(box.x, box.y, box.x + box.w, box.y + box.h) for box in boxes], 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
    for one, two in combinations(texts, 2):
        assert one[2] <= two[0] or two[2] <= one[0] or one[3] <= two[1] or two[3] <= one[1]
    for left, top, right, bottom in texts:
        assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height


def test_the_meaning_does_not_hang_on_colour() -> None:
    scene = attack_graph.scene(SPEC)
    labels = {text.text for text in scene.texts()}

    assert {"◆ acts as the builder", "◇ acts as the builder", "node's devices"} <= labels
    assert all(box.hatched for box in scene.shapes if isinstance(box, Box) and box.fill == "#f2f2f2")


def test_text_svg_and_mermaid_say_the_same() -> None:
    picture = attack_graph_example()

    assert "kaniko  (Kaniko)\n  a hostile Dockerfile reaches: acts as the builder" in str(picture)
    root = ET.fromstring(picture._repr_svg_())
    assert "needs privileged and not userns and not sandboxed" in ET.tostring(root, encoding="unicode")
    mermaid = attack_graph.as_mermaid(SPEC)
    assert mermaid.count("subgraph") == 4
    assert "p2_dockerfile_run ==> p2_builder_files" in mermaid
    assert "p2_builder_process -.-x p2_host_block_devices" in mermaid


def test_the_same_builds_give_the_same_bytes() -> None:
    assert attack_graph_example()._repr_svg_() == attack_graph_example()._repr_svg_()


def test_a_setting_opens_its_step_in_the_picture() -> None:
    def panel(*words: str) -> dict:
        build = situation(pod("kaniko"), builder_of("kaniko"), settings_from(words))
        return attack_graph.spec({"kaniko": build})["panels"][0]

    assert "node_root" not in panel()["reached"]
    assert panel("CVE-2025-31133")["reached"]["node_root"] == "dockerfile"


@pytest.mark.parametrize("count", [1, 3, 14])
def test_any_number_of_panels_is_laid_out(count: int) -> None:
    names = list(APPROACHES)[:count]
    picture = attack_graph.of({name: situation(pod(name), builder_of(name)) for name in names}, "Some")

    assert picture._repr_svg_().startswith("<svg")
    assert str(picture).count("nobody reaches") == count


def test_matplotlib_draws_every_box_and_arrow() -> None:
    pytest.importorskip("matplotlib")

    axes = attack_graph_example().draw()

    assert len(axes.texts) == sum(isinstance(each, Text) for each in attack_graph.scene(SPEC).shapes)
