"""The pictures of the documentation are what the code draws today."""

from pathlib import Path

import pytest

from course.gallery import PICTURES, suffixes

FOLDER = Path(__file__).parents[3] / "docs" / "pictures"


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_current(tmp_path: Path, name: str) -> None:
    picture = PICTURES[name]()

    for suffix in suffixes(picture):
        made = picture.save(tmp_path / f"picture{suffix}")
        assert made.read_bytes() == (FOLDER / f"{name}{suffix}").read_bytes(), "run make pictures"


def test_every_kept_picture_is_drawn_by_somebody() -> None:
    kept = {path.stem for path in FOLDER.iterdir()}

    assert kept == set(PICTURES)
