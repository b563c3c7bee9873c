"""What this machine can be asked, and what others answered where it cannot.

A reason is a sentence that says why an oracle cannot be asked, or None. Answers that were recorded once
(``LAYERLAB_RECORD=1``, as root) lie in tests/golden/answers and are replayed where there is a reason.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).resolve().parents[1] / "golden/answers"

EXPECTED = frozenset(filter(None, os.environ.get("LAYERLAB_EXPECT", "").split(",")))
"""Markers that this machine must be able to run: a skip of one of them is a failure."""


@cache
def kernel() -> str | None:
    """Why no overlay can be mounted here."""
    script = (
        "mount -t tmpfs t /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && "
        "mount -t overlay o -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m"
    )
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("unshare") is None:
        return "needs unshare(1)"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False)
    return None if done.returncode == 0 else "the kernel refuses an overlay mount"


def lacks(*tools: str) -> str | None:
    """Why these tools cannot be run here."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def docker() -> str | None:
    """Why no dockerd can be started here."""
    return "needs root" if os.geteuid() != 0 else lacks("dockerd", "docker")


def recorded(name: str, oracle: Callable[[], str | None], ask: Callable[[], Any]) -> Any:
    """What ``ask`` returns, which JSON can hold; where the oracle cannot be asked, what it returned once."""
    path, reason = GOLDEN / f"{name}.json.xz", oracle()
    if reason is not None:
        if oracle.__name__ in EXPECTED:
            pytest.fail(f"{oracle.__name__} was promised on this machine: {reason}", pytrace=False)
        return json.loads(lzma.decompress(path.read_bytes()))
    answers = ask()
    if os.environ.get("LAYERLAB_RECORD"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(lzma.compress(json.dumps(answers, sort_keys=True).encode(), preset=9))
    return answers
