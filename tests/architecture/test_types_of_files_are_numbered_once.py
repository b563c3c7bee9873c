"""The numbers of file types stand in ``nodes/kinds.py`` alone; everybody else uses their names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import unionfs_sim

ROOM = Path(unionfs_sim.__file__).parent
KINDS = ROOM / "nodes" / "kinds.py"
NUMBERS = re.compile(r"0o(17|14|12|10|06|04|02|01)0000\b")


@pytest.mark.parametrize("path", sorted(ROOM.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOM)))
def test_no_module_but_one_writes_a_file_type_as_a_number(path: Path) -> None:
    found = NUMBERS.findall(path.read_text())

    assert (found == []) != (path == KINDS)
