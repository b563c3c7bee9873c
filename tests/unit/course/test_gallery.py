"""The pictures of the documentation are what the code draws today."""

from pathlib import Path

import pytest

from course.gallery import attack_graph_example, overlay_stack_example, stage_graph_example

PICTURES = Path(__file__).parents[3] / "docs" / "pictures"


@pytest.mark.parametrize("suffix", [".svg", ".txt"])
def test_the_overlay_stack_is_current(tmp_path: Path, suffix: str) -> None:
    made = overlay_stack_example().save(tmp_path / f"picture{suffix}")

    assert made.read_bytes() == (PICTURES / f"overlay_stack{suffix}").read_bytes(), "run make pictures"


@pytest.mark.parametrize("suffix", [".svg", ".txt", ".mmd"])
def test_the_stage_graph_is_current(tmp_path: Path, suffix: str) -> None:
    made = stage_graph_example().save(tmp_path / f"picture{suffix}")

    assert made.read_bytes() == (PICTURES / f"stage_graph{suffix}").read_bytes(), "run make pictures"


@pytest.mark.parametrize("suffix", [".svg", ".txt", ".mmd"])
def test_the_attack_graph_is_current(tmp_path: Path, suffix: str) -> None:
    made = attack_graph_example().save(tmp_path / f"picture{suffix}")

    assert made.read_bytes() == (PICTURES / f"attack_graph{suffix}").read_bytes(), "run make pictures"
