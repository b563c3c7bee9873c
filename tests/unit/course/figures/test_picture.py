"""A picture is shown as SVG, told as text, and saved whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from builder.errors import BuildError
from course.figures import overlay_stack, stage_graph
from course.figures.picture import Picture, write_whole

EMPTY = {"figure": "overlay-stack", "layers": [], "paths": []}


def test_a_notebook_gets_svg_and_a_terminal_text() -> None:
    picture = Picture(overlay_stack, EMPTY)

    assert picture._repr_svg_().startswith("<svg")
    assert str(picture) == "no path to look up: the union is empty"


@pytest.mark.parametrize("suffix", [".svg", ".png", ".txt"])
def test_the_same_picture_is_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    picture = Picture(overlay_stack, EMPTY)

    first, second = (picture.save(tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")

    assert first == second
    assert sorted(os.listdir(tmp_path)) == [f"a{suffix}", f"b{suffix}"]


def test_only_a_graph_can_be_saved_as_mermaid(tmp_path: Path) -> None:
    graph = Picture(stage_graph, {"target": "x", "stages": [], "edges": []})

    assert graph.save(tmp_path / "graph.mmd").read_text() == "flowchart LR\n"
    with pytest.raises(BuildError, match="no picture can be saved as"):
        Picture(overlay_stack, EMPTY).save(tmp_path / "stack.mmd")


def test_a_folder_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot write here: No such file or directory"):
        Picture(overlay_stack, EMPTY).save(tmp_path / "absent" / "stack.svg")


def test_what_is_no_regular_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    write_whole(fifo, b"a page")

    assert (os.read(reading, 100), fifo.is_fifo()) == (b"a page", True)
    os.close(reading)


def test_a_directory_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="cannot write here: Is a directory"):
        write_whole(tmp_path, b"a page")
