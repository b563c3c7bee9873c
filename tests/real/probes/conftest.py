"""The package that the probes live in."""

from __future__ import annotations

import sys
from pathlib import Path

# Under --import-mode=importlib a folder of tests is not on the path; Python puts it there for probe.py.
sys.path.insert(0, str(Path(__file__).parent))
