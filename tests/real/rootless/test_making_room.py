"""What real builds have unpacked: ``image df`` tells, ``image prune`` removes, never beneath a builder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builder.namespace.state import State
from builder.stores.layout import LayoutStore

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

KEPT = "FROM base\nRUN echo kept > /kept\n"
FORGOTTEN = "FROM base\nRUN --mount=type=cache,target=/c echo 12345 > /c/f; echo > /gone; chmod 0 /gone\n"


@pytest.fixture
def layerlab(tmp_path: Path, add_image: Any) -> Any:
    """Runs the command in a state directory of its own and gives what it prints."""
    with LayoutStore(str(tmp_path / "layout")) as store:
        add_image(store, "any:base")

    def run(*words: str) -> str:
        line = [sys.executable, "-m", "course", "--state", str(tmp_path / "state"), *words]
        return subprocess.run(line, capture_output=True, text=True, check=True, timeout=120).stdout

    return run


@pytest.fixture
def build(tmp_path: Path, layerlab: Any) -> Any:
    """Builds a Dockerfile for real, under a name."""

    def run(name: str, dockerfile: str) -> str:
        context = tmp_path / name
        context.mkdir(exist_ok=True)
        (context / "Dockerfile").write_text(dockerfile)
        named = f"base=oci-layout://{tmp_path}/layout:base"
        words = ("--strategy", "rootless", "--build-context", named, "-q", "-t", name)
        return str(layerlab("build", *words, str(context)))

    return run


def unpacked(layerlab: Any) -> dict[str, int]:
    told: dict[str, int] = json.loads(layerlab("image", "df", "--json"))["unpacked"]
    return told


def test_where_nothing_was_built_for_real_there_is_nothing(layerlab: Any) -> None:
    layerlab("images")

    assert unpacked(layerlab) is None
    assert "unpacked" not in layerlab("image", "prune")


def test_layers_and_caches_are_counted(layerlab: Any, build: Any) -> None:
    build("kept", KEPT)
    build("gone", FORGOTTEN)

    found = unpacked(layerlab)

    assert (found["layers"], found["caches"]) == (3, 1)
    assert found["cache_bytes"] >= len("12345\n")
    assert "cache mounts" in layerlab("image", "df")


def test_layers_of_no_named_image_are_removed_and_the_rest_is_used_as_before(
    layerlab: Any, build: Any
) -> None:
    digest = build("kept", KEPT)
    build("gone", FORGOTTEN)
    layerlab("rmi", "gone")

    said = layerlab("image", "prune")

    assert "removed 1 unpacked layers" in said
    assert (unpacked(layerlab)["layers"], unpacked(layerlab)["caches"]) == (2, 1)
    assert build("kept", KEPT) == digest
    assert build("again", KEPT + "RUN cat /kept > /copy\n") != digest


def test_a_known_build_goes_on_after_its_layers_were_removed(layerlab: Any, build: Any) -> None:
    build("gone", FORGOTTEN)
    layerlab("rmi", "gone")
    layerlab("image", "prune")

    build("more", FORGOTTEN + "RUN test -e /gone && echo 1 > /more\n")

    assert unpacked(layerlab)["layers"] == 3


def test_caches_are_removed_when_asked(layerlab: Any, build: Any) -> None:
    build("gone", FORGOTTEN)

    said = layerlab("image", "prune", "--cache")

    assert "removed 1 cache mounts" in said
    assert unpacked(layerlab)["caches"] == 0


def test_nothing_is_removed_beneath_a_builder(layerlab: Any, build: Any, tmp_path: Path) -> None:
    build("gone", FORGOTTEN)
    layerlab("rmi", "gone")
    builder = State(str(tmp_path / "state/trees"))
    assert builder.namespace

    said = layerlab("image", "prune")
    builder.close()

    assert "unpacked" not in said
    assert unpacked(layerlab)["layers"] == 2
    assert "removed 2 unpacked layers" in layerlab("image", "prune")
