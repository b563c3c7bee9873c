"""The simulated shell beside dash: parsing, loops, programs, pipes; and that none of it grows out of line.

    python bench/shell.py [--json]

The simulation starts no process, so it can be slower than dash in a loop and faster at starting programs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections import ChainMap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from builder.world.programs import PROGRAMS
from builder.world.shell import SHELLS
from builder.world.shell.language.grammar import parse
from builder.world.supplies import bases
from builder.world.utilities import UTILITIES
from builder.world.world import Job, World
from unionfs_sim import Layer, mount

STATEMENT = 'if [ -f "$name" ] && test "${other:-x}" = y; then echo "$name: $(cat "$name")" >>log; fi\n'


@dataclass(frozen=True)
class Case:
    """A script whose ``%d`` is a count; ``count``: of what it does."""

    name: str
    script: str
    count: int


CASES = (
    Case("rounds of a counting loop", "i=0; while [ $i -lt %d ]; do i=$((i + 1)); done", 3000),
    Case("rounds of a for loop", "for i in $(seq %d); do x=${i#1}; done", 3000),
    Case(
        "characters appended to a variable",
        'i=0; s=; while [ $i -lt %d ]; do s="$s."; i=$((i+1)); done',
        2000,
    ),
    Case("programs started", "i=0; while [ $i -lt %d ]; do /bin/true; i=$((i+1)); done", 300),
    Case("command substitutions", "i=0; while [ $i -lt %d ]; do x=$(echo $i); i=$((i+1)); done", 500),
    Case(
        "pipes of two programs", "i=0; while [ $i -lt %d ]; do echo a | cat >/dev/null; i=$((i+1)); done", 200
    ),
    Case("lines through sed", "seq %d | sed s/1/one/ | tail -n 1", 10_000),
    Case("files written and found", "for i in $(seq %d); do : >f$i; done; find . -name 'f*' | wc -l", 1000),
)


class Simulation:
    """A debian image that runs scripts."""

    def __init__(self) -> None:
        image = bases.find("debian")
        if image is None:
            raise LookupError("there is no embedded debian")
        self._layers = list(image.layers)

    def seconds(self, script: str) -> float:
        """How long a script takes, from nothing to its end."""
        world = World(ChainMap(dict(SHELLS), cast(Any, PROGRAMS), cast(Any, UTILITIES)))
        root = mount(self._layers, Layer())
        job = Job(argv=("/bin/sh", "-c", script), cwd="/tmp", env={"PATH": "/bin:/usr/bin"})
        return timed(lambda: world.run(root, job, lambda _: None))


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def real(script: str) -> float:
    """How long dash takes, but for starting it."""
    with tempfile.TemporaryDirectory() as place:

        def run(text: str) -> None:
            subprocess.run(["dash", "-c", text], cwd=place, stdout=subprocess.DEVNULL, check=True)

        return max(timed(lambda: run(script)) - min(timed(lambda: run(":")) for _ in range(3)), 1e-6)


def parsing() -> dict[str, float]:
    """Megabytes of shell that are parsed in a second, ours and dash's (``-n``)."""
    text = STATEMENT * 500
    size = len(text) / 1e6
    found = {"ours": size / min(timed(lambda: parse(text)) for _ in range(3))}
    twice = min(timed(lambda: parse(text * 2)) for _ in range(3))
    found["growth"] = twice / (2 * size / found["ours"])
    if shutil.which("dash"):
        with tempfile.TemporaryDirectory() as place:
            many = Path(place, "script")
            many.write_text(text * 40)
            found["dash"] = 40 * size / timed(lambda: subprocess.run(["dash", "-n", many], check=True))
    return found


def loops() -> list[dict[str, Any]]:
    """Each case, in things a second, with the growth of its time when there is three times as much to do."""
    simulation = Simulation()
    rows = []
    for case in CASES:
        once = min(simulation.seconds(case.script % case.count) for _ in range(3))
        more = simulation.seconds(case.script % (3 * case.count))
        row: dict[str, Any] = {"name": case.name, "ours": case.count / once, "growth": more / (3 * once)}
        if shutil.which("dash"):
            row["dash"] = case.count / min(real(case.script % case.count) for _ in range(3))
        rows.append(row)
    return rows


def main() -> None:
    """Measure and print."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rows = [{"name": "megabytes parsed", **parsing()}, *loops()]
    if chosen.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'a second':<36}{'simulated':>12}{'dash':>14}{'':>10}  time for 3 × as much")
    for row in rows:
        dash = row.get("dash")
        shown = f"{dash:14,.1f}{row['ours'] / dash:9.3f}×" if dash else f"{'–':>14}{'':>10}"
        print(f"{row['name']:<36}{row['ours']:12,.1f}{shown}  {row['growth']:.2f} of 3 ×")


if __name__ == "__main__":
    main()
