"""Starts ``mounted.run``, with the differential test of the kernel on the path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "kernel"))

from mounted.run import main

if __name__ == "__main__":
    raise SystemExit(main())
