"""Compares the profile of fuse-overlayfs with the program itself; needs root and /dev/fuse."""

import sys
from pathlib import Path

# The machines and the generator are those of the comparison with the kernel.
sys.path.insert(0, str(Path(__file__).parents[1] / "kernel"))

from profile_differential.run import main

if __name__ == "__main__":
    raise SystemExit(main())
