"""The packages of this folder, and of the kernel's differential test, whose harness is used again."""

from __future__ import annotations

import sys
from pathlib import Path

# Under --import-mode=importlib a folder of tests is not on the path.
sys.path.insert(0, str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parent.parent / "kernel"))
