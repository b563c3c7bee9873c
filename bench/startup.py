"""Start-up: what a word of the command line costs, as a multiple of a bare ``python3 -c pass``.

    python bench/startup.py [--runs N] [--json]

Promises: ``layerlab --help`` within 9 times of bare Python; ``import unionfs_sim`` under 40 ms above it; a
build whose every step is cached under 1 s. Bytecode is kept in a temporary directory, so that it does not
matter whether the environment lets Python write it beside the sources. Commands are taken in turn; the best
of each counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
FLOOR = "python -c pass"


def cases(place: str) -> dict[str, list[str]]:
    """The commands by name; bytecode and the store lie in ``place``."""
    python = [sys.executable, "-E", "-X", f"pycache_prefix={place}/bytecode"]
    layerlab = [*python, "-m", "course", "--state", f"{place}/store"]
    return {
        FLOOR: [*python, "-c", "pass"],
        "import unionfs_sim": [*python, "-c", "import unionfs_sim"],
        "layerlab --help": [*python, "-m", "course", "--help"],
        "layerlab images": [*layerlab, "images"],
        "layerlab build, cached": [*layerlab, "build", "-q", "examples/nginx"],
    }


def seconds(argv: list[str]) -> float:
    """The wall time of a command."""
    begin = time.perf_counter()
    subprocess.run(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def measure(runs: int) -> dict[str, float]:
    """The best time of each command, in milliseconds."""
    with tempfile.TemporaryDirectory() as place:
        commands = cases(place)
        for argv in commands.values():
            seconds(argv)  # bytecode is written, the build is made
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs):
            for name, argv in commands.items():
                found[name].append(seconds(argv) * 1000)
    return {name: min(times) for name, times in found.items()}


def main() -> None:
    """Measure all cases in turn and print them."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    measured = measure(chosen.runs)
    floor = measured[FLOOR]
    if chosen.json:
        print(json.dumps({name: {"ms": ms, "ratio": ms / floor} for name, ms in measured.items()}, indent=2))
        return
    for name, ms in measured.items():
        print(f"{name:<24}{ms:7.1f} ms  {ms / floor:5.1f} times bare Python  {ms - floor:+7.1f} ms")


if __name__ == "__main__":
    main()
