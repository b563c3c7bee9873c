"""What is said after a build: one size in every table, what nobody can see, and what lint finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WASTEFUL = """\
FROM alpine:3.19
RUN dd if=/dev/zero of=/big bs=1k count=500
COPY f /f
RUN rm /big
RUN chmod -R 777 /f
RUN apk add -U -q curl
"""
FINDINGS = [
    ("RemoveFreesNothing", "Dockerfile:4", 512_000),
    ("ChangeCopiesFiles", "Dockerfile:5", 100_000),
]

Layerlab = Callable[..., Any]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    place = tmp_path / "context"
    place.mkdir()
    (place / "f").write_bytes(bytes(100_000))
    (place / "Dockerfile").write_text(WASTEFUL)
    return place


@pytest.fixture
def built(layerlab: Layerlab, context: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(layerlab("build", "-t", "waste", "--json", context).out)
    return answer


def test_all_tables_say_one_size(layerlab: Layerlab, built: dict[str, Any]) -> None:
    (listed,) = json.loads(layerlab("images", "--json").out)
    tree = json.loads(layerlab("image", "tree", "--json", "waste").out)
    history = json.loads(layerlab("history", "--json", "waste").out)

    sizes = [layer["size"] for layer in built["layers"]]

    assert [layer["tar_bytes"] for layer in tree["layers"]] == sizes
    assert [step["size_bytes"] for step in reversed(history) if step["diff_id"]] == sizes
    assert listed["size_bytes"] == tree["tar_bytes"] == sum(sizes)
    assert built["waste"]["size_bytes"] == tree["size_bytes"]
    assert built["waste"]["wasted_bytes"] == tree["wasted_bytes"]
    (stage,) = built["stages"]
    assert stage["size"] == tree["size_bytes"] - tree["wasted_bytes"]


def test_a_build_says_what_is_wasted_and_where(layerlab: Layerlab, built: dict[str, Any]) -> None:
    big, copied, *_ = built["waste"]["largest"]

    assert (big["path"], big["size_bytes"], big["layer"], big["by"]) == ("/big", 512_000, 1, 3)
    assert (copied["path"], copied["layer"], copied["by"]) == ("/f", 2, 4)


def test_the_summary_names_both_layers_and_a_known_build_says_the_same(
    layerlab: Layerlab, context: Path, built: dict[str, Any]
) -> None:
    out = layerlab("build", "-t", "waste", context).out

    assert "Wasted: 613 kB of 859 kB in files can be seen by nobody\n" in out
    assert "  512 kB /big: layer 1 (RUN /bin/sh -c dd " in out
    assert ", hidden by layer 3 (RUN /bin/sh -c rm /big)\n" in out
    assert layerlab("build", "-t", "waste", context).out == out
    assert layerlab("build", "-t", "waste", "--no-cache", context).out == out


def test_an_image_without_waste_says_so(layerlab: Layerlab, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCOPY f /\n")

    said = layerlab("build", context)

    assert "Nothing is wasted: all of it can be seen.\n" in said.out
    assert "1/100" not in said.out
    assert "Lint:" not in said.out


@pytest.mark.parametrize(("rule", "where", "cost"), FINDINGS)
def test_a_finding_says_what_it_costs_once_the_build_is_known(
    built: dict[str, Any], rule: str, where: str, cost: int
) -> None:
    (found,) = [each for each in built["findings"] if each["rule"] == rule]

    assert (found["where"], found["cost_bytes"], found["ours"]) == (where, cost, True)


def test_a_package_cache_costs_what_it_weighs_in_the_layer(layerlab: Layerlab, built: dict[str, Any]) -> None:
    (found,) = [each for each in built["findings"] if each["rule"] == "PackageCacheKept"]
    tree = json.loads(layerlab("image", "tree", "--json", "waste").out)
    held = [
        held["size_bytes"]
        for record in tree["paths"]
        if record["path"].startswith("/var/cache/apk/")
        for held in record["held"]
    ]

    assert found["cost_bytes"] == sum(held) > 40_000


def test_findings_have_one_line_each(layerlab: Layerlab, context: Path) -> None:
    lines = layerlab("build", context).out.splitlines()

    (first,) = [at for at, line in enumerate(lines) if line.startswith("Lint: 3 found")]
    assert [line.split(":")[2].strip() for line in lines[first + 1 : first + 4]] == [
        "RemoveFreesNothing",
        "ChangeCopiesFiles",
        "PackageCacheKept",
    ]
    assert lines[first + 1].endswith(" (512 kB here)")


def test_findings_follow_the_dockerfile_and_the_dockerignore(layerlab: Layerlab, context: Path) -> None:
    def rules() -> list[str]:
        return [each["rule"] for each in json.loads(layerlab("build", "--json", context).out)["findings"]]

    (context / "g").write_text("")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY g /\n")
    before = rules()
    (context / ".dockerignore").write_text("f\n")
    (context / "Dockerfile").write_text("from scratch\nCOPY g /\nENV TOKEN=x\n")

    assert (before, rules()) == ([], ["ConsistentInstructionCasing", "SecretsUsedInArgOrEnv"])


def test_check_error_true_fails_the_build_for_what_buildkit_finds(layerlab: Layerlab, context: Path) -> None:
    (context / "Dockerfile").write_text("# check=error=true\nFROM scratch as a\nCOPY f /\n")

    said = layerlab("build", context)

    assert said.status == 1
    assert "Dockerfile:2: FromAsCasing: " in said.err
    (context / "Dockerfile").write_text("# check=error=true\nFROM scratch AS a\nADD f /\n")
    assert layerlab("build", context).status == 0  # AddInsteadOfCopy is ours


def test_quiet_hides_no_warning(layerlab: Layerlab, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM alpine:3.20\n")

    said = layerlab("build", "-q", context)

    assert said.out.startswith("sha256:")
    assert len(said.out.splitlines()) == 1
    assert "warning: alpine:3.20 is not here: alpine:3.19" in said.err


@pytest.mark.parametrize("line", ["images", "history waste", "image tree waste --summary"])
def test_tables_of_embedded_bases_name_their_scale(
    layerlab: Layerlab, built: dict[str, Any], line: str
) -> None:
    assert "1/100" in layerlab(*line.split()).err


@pytest.mark.parametrize("line", ["images", "history plain", "image tree plain --summary"])
def test_tables_of_others_do_not(layerlab: Layerlab, context: Path, line: str) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nCOPY f /\n")
    layerlab("build", "-t", "plain", context)

    assert "1/100" not in layerlab(*line.split()).err


def test_a_comparison_names_the_scale_where_a_base_has_one(layerlab: Layerlab, context: Path) -> None:
    assert "1/100" in layerlab("compare", context / "Dockerfile").out
    (context / "Dockerfile").write_text("FROM scratch\nCOPY f /\n")
    assert "1/100" not in layerlab("compare", context / "Dockerfile").out


def test_a_failed_run_shows_its_lines(layerlab: Layerlab, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM alpine:3.19\nRUN echo a && \\\n    exit 3\n")

    said = layerlab("build", context)

    assert (
        "Dockerfile:2: RUN: the command ended with exit status 3\n"
        "     2 | RUN echo a && \\\n"
        "     3 |     exit 3\n"
        "  it last said: a\n"
    ) in said.err
