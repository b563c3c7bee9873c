"""F6: what a scan looked at, read and found, in the modes that it has."""

from __future__ import annotations

import re
from typing import Any

from builder.events import ChangesFound
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from course.figures import snapshot_timeline
from course.laboratory import Laboratory

DOCKERFILE = """
FROM alpine
COPY a /a
RUN rm -r /etc/apk
RUN cp -p /a /b && echo 22 > /a && touch -r /b /a
CMD true
"""


def modes(dockerfile: str = DOCKERFILE) -> dict[str, list[dict[str, Any]]]:
    builds = {
        mode.value: Laboratory().build(dockerfile, {"a": "1\n"}, strategy=Strategy.KANIKO_STYLE, mode=mode)
        for mode in Mode
    }
    for built in builds.values():
        looked = [event for event in built.events if isinstance(event, ChangesFound)]
        spec = snapshot_timeline.of({"only": built.scanned()}).spec
        steps = spec["modes"][0]["steps"]
        assert sum(step["looks"] for step in steps) == len(looked)
        assert sum(step["walked"] for step in steps) == sum(event.entries_scanned for event in looked)
    spec = snapshot_timeline.of({name: built.scanned() for name, built in builds.items()}).spec
    return {mode["mode"]: mode["steps"] for mode in spec["modes"]}


def test_only_what_a_mode_overlooked_is_missed() -> None:
    found = modes()

    missed = {mode: [step["missed"] for step in steps] for mode, steps in found.items()}
    assert missed == {"full": [[], [], []], "redo": [[], [], []], "time": [[], [], ["/a"]]}


def test_a_copy_is_not_scanned_and_the_first_run_is_scanned_twice() -> None:
    steps = modes()["full"]

    assert [step["looks"] for step in steps] == [0, 2, 1]
    assert [step["text"].split()[0] for step in steps] == ["COPY", "RUN", "RUN"]  # CMD is about no file
    assert steps[1]["hashed"] > 0 == modes()["time"][1]["hashed"]


def test_a_deleted_directory_is_one_whiteout() -> None:
    assert modes()["full"][1]["whiteouts"] == ["/etc/apk"]


def test_the_text_says_what_the_picture_shows() -> None:
    built = Laboratory().build(DOCKERFILE, {"a": "1\n"}, strategy=Strategy.KANIKO_STYLE)
    told = str(snapshot_timeline.of({"full": built.scanned()}))

    assert "COPY a /a: not scanned: it knows its paths; 1 changed, 0 whiteouts" in told
    assert re.search(
        r"RUN rm -r /etc/apk: \d+ entries, [\d.]+ kB hashed \(2×\); 0 changed, 1 whiteouts", told
    )


def test_no_build_is_a_picture_too() -> None:
    assert str(snapshot_timeline.of({})) == "no step about files"
    assert snapshot_timeline.of({})._repr_svg_().startswith("<svg")
