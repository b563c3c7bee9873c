"""Every construct of the language, one script each (constructs.txt), does the same as in dash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools("dash", "busybox")

SCRIPTS = (Path(__file__).parent / "constructs.txt").read_text().removesuffix("\n").split("\n%%\n")


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_construct_does_the_same_as_in_dash(script: str, agrees: Callable[..., None]) -> None:
    agrees(script)
