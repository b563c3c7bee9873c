"""A fixed number of random calls in every mode: the model answers as the kernel does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from differential.modes import MODES

FUZZ = Path(__file__).with_name("fuzz.py")
SEED = 20
CALLS = 4000


@pytest.mark.kernel
@pytest.mark.parametrize("mode", MODES)
def test_the_model_answers_as_the_kernel_in_mode(mode: str) -> None:
    done = subprocess.run(
        [sys.executable, str(FUZZ), "--seed", str(SEED), "--ops", str(CALLS), "--mode", mode, "--quiet"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stdout + done.stderr
