"""Every wrong version of the model is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from differential.mutants import MUTANTS


@pytest.mark.kernel
@pytest.mark.parametrize("number", range(len(MUTANTS)), ids=[one.sentence for one in MUTANTS])
def test_the_comparison_notices_that(number: int) -> None:
    script = Path(__file__).with_name("fuzz.py")

    done = subprocess.run(
        [sys.executable, str(script), "--mutant", str(number)], capture_output=True, text=True, check=False
    )

    assert "noticed after" in done.stdout, done.stdout + done.stderr
