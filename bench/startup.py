"""Start-up: what a word of the command line costs, as a multiple of a bare ``python3 -c pass``.

    python bench/startup.py [--json]

Promises: ``layerlab --help`` within 9 times of bare Python; ``import unionfs_sim`` under 40 ms above it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import unionfs_sim": [sys.executable, "-c", "import unionfs_sim"],
    "layerlab --help": [sys.executable, "-m", "course", "--help"],
    "layerlab images": [sys.executable, "-m", "course", "images"],
}


def median_ms(argv: list[str], runs: int) -> float:
    """The median wall time of a command, in milliseconds."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure all cases in turn and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    measured = {name: median_ms(argv, chosen.runs) for name, argv in CASES.items()}
    floor = measured["python -c pass"]
    if chosen.json:
        print(json.dumps({name: {"ms": ms, "ratio": ms / floor} for name, ms in measured.items()}, indent=2))
        return
    for name, ms in measured.items():
        print(f"{name:<22} {ms:7.1f} ms  {ms / floor:5.1f} times bare Python  {ms - floor:+7.1f} ms")


if __name__ == "__main__":
    main()
