"""A store that something has happened to: what builds do, what is said, and what mends it."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import pytest

DOCKERFILE = "FROM busybox\nCOPY small /small\nRUN echo made > /made\n"
LARGE = "FROM scratch\nCOPY large /large\n"


def blob(state: Path, digest: str) -> Path:
    return state / "blobs/sha256" / digest.removeprefix("sha256:")


def flip(path: Path, *, offset: int = 600, keep_time: bool = False) -> None:
    """Change one byte in the middle of a file."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def build(layerlab, project):
    def call(dockerfile: str = DOCKERFILE, *options: str):
        path = project(dockerfile, small="s", large="l" * 3_000_000)
        said = layerlab("build", "--json", "-t", "web", *options, path)
        return said, (json.loads(said.out) if said.status == 0 else None)

    return call


@pytest.mark.parametrize(("dockerfile", "layer"), [(DOCKERFILE, -1), (DOCKERFILE, 0), (LARGE, 0)])
@pytest.mark.parametrize("keep_time", [False, True])
def test_a_build_never_gives_out_an_image_with_a_damaged_layer(
    layerlab, build, state: Path, dockerfile: str, layer: int, keep_time: bool
) -> None:
    _, first = build(dockerfile)
    damaged = blob(state, first["layers"][layer]["digest"])
    flip(damaged, keep_time=keep_time)

    said, second = build(dockerfile)

    assert second["digest"] == first["digest"], said.err
    assert layerlab("image", "validate", "web").status == 0


def test_the_step_whose_layer_is_damaged_says_why_it_is_done_again(build, state: Path) -> None:
    _, first = build()
    flip(blob(state, first["layers"][-1]["digest"]))

    said, _ = build()

    assert "its layer is no longer in the store, or damaged" in said.err


def test_a_layer_that_was_cut_short_is_made_again(layerlab, build, state: Path) -> None:
    _, first = build(LARGE)
    blob(state, first["layers"][0]["digest"]).write_bytes(b"")

    _, second = build(LARGE)

    assert second["digest"] == first["digest"]
    assert layerlab("image", "validate", "web").status == 0


def test_from_an_image_with_a_damaged_layer_is_an_error_that_says_what_to_do(
    layerlab, build, project, state: Path
) -> None:
    _, first = build()
    flip(blob(state, first["layers"][-1]["digest"]))

    said = layerlab("build", project("FROM web\nRUN true\n"))

    assert said.status == 1
    assert "missing or damaged" in said.err
    assert "layerlab image check --repair" in said.err
    assert "Traceback" not in said.err


def test_check_names_what_is_damaged_and_repair_takes_it_away(layerlab, build, state: Path) -> None:
    _, first = build()
    assert layerlab("image", "check").out == "everything is whole\n"
    digest = first["layers"][-1]["digest"]
    flip(blob(state, digest))

    checked = layerlab("image", "check")
    repaired = layerlab("image", "check", "--repair", "--json")

    assert checked.status == 1
    assert digest in checked.out
    assert "web:latest" in checked.out
    assert repaired.status == 0
    assert [each["what"] for each in json.loads(repaired.out)] == [digest, "web:latest"]
    assert not blob(state, digest).exists()
    build()
    assert layerlab("image", "check").status == 0
    assert layerlab("image", "validate", "web").status == 0


def test_a_name_whose_manifest_is_damaged_can_be_removed_and_is_taken_away_by_repair(
    layerlab, build, state: Path
) -> None:
    _, first = build()
    layerlab("tag", "web", "other")
    flip(blob(state, first["digest"]), offset=10)

    assert layerlab("rmi", "other").status == 0
    repaired = layerlab("image", "check", "--repair")

    assert repaired.status == 0
    assert "web:latest" in repaired.out
    assert layerlab("images", "--json").out == "[]\n"


def test_repair_makes_a_damaged_database_anew_from_index_json(layerlab, build, state: Path) -> None:
    build()
    (state / "layerlab.sqlite").write_bytes(b"SQLite format 3\0" + b"\xff\xfe" * 3000)

    said = layerlab("images")
    repaired = layerlab("image", "check", "--repair")

    assert (said.status, repaired.status) == (1, 0)
    assert "layerlab image check --repair" in said.err
    assert "layerlab.sqlite" in repaired.out
    assert json.loads(layerlab("images", "--json").out)[0]["name"] == "web:latest"
    assert layerlab("image", "check").status == 0


@pytest.mark.parametrize("seed", range(40))
def test_a_database_with_a_flipped_byte_is_used_or_refused_in_a_sentence(
    layerlab, build, state: Path, seed: int
) -> None:
    _, first = build()
    database = state / "layerlab.sqlite"
    size = database.stat().st_size
    flip(database, offset=(seed * 7919 * 31) % size)

    said, _ = build()
    listed = layerlab("images", "--json")
    repaired = layerlab("image", "check", "--repair")

    assert said.status == 0 or "layerlab image check --repair" in said.err or "newer layerlab" in said.err
    assert "Traceback" not in said.err + listed.err + repaired.err
    assert repaired.status == 0, repaired.err
    _, after = build()
    assert after["digest"] == first["digest"]


@pytest.mark.parametrize("record", ["[]", "{", '"text"', "{}", "\x00"])
def test_a_record_that_was_tampered_with_is_forgotten(build, state: Path, record: str) -> None:
    _, first = build()
    with sqlite3.connect(state / "layerlab.sqlite") as database:
        database.execute("UPDATE record SET value = ?", (record,))
    database.close()

    said, second = build()

    assert second["digest"] == first["digest"]
    assert "CACHED" not in said.err


def test_a_damaged_index_json_is_written_anew(layerlab, build, state: Path) -> None:
    build()
    (state / "index.json").write_text("{")

    assert layerlab("image", "check").status == 1
    assert layerlab("image", "check", "--repair").status == 0
    assert len(json.loads((state / "index.json").read_text())["manifests"]) == 1


def test_check_of_a_store_that_is_not_there_makes_none(layerlab, state: Path) -> None:
    assert layerlab("image", "check").status == 0
    assert not state.exists()
