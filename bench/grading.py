"""Grading: what one submission of exercise 1.3 costs here, beside nbgrader and otter in the same run.

    python bench/grading.py [--count N] [--jobs N] [--json]

The peers grade the same wrong answer in the form that `layerlab learn export` gives them, and ask layerlab's
sandbox for the marks: what is measured is what they add. They are optional (pip install nbgrader
otter-grader); a peer that is missing is said to be. Seconds are wall time; CPU is that of all processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = "layerlab learn grade"
HOSTILE = "def resolve(path, layers):\n    while True: pass\n"


@dataclass(frozen=True)
class Cost:
    """What a submission costs: seconds until its marks are there, and of processor time."""

    wall: float
    cpu: float


def measured(count: int, work: Callable[[], None]) -> Cost:
    """The cost of one of ``count`` submissions that ``work`` grades."""
    before, began = os.times(), time.perf_counter()
    work()
    after, wall = os.times(), time.perf_counter() - began
    cpu = sum(after[2:4]) - sum(before[2:4])
    return Cost(wall / count, cpu / count)


def run(words: list[str], cwd: Path) -> None:
    """Run a program to its end; its output is shown if it fails."""
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def layerlab(*words: str) -> list[str]:
    """A command line of ours."""
    return [sys.executable, "-m", "course", "learn", *words]


def answer() -> str:
    """A wrong answer to 1.3."""
    return next((ROOT / "course/modules").glob("*/*-resolve/mutants/no_opaque.py")).read_text()


def ours(place: Path, count: int, jobs: int, *, hostile: int = 0) -> Cost:
    """A class, ``hostile`` of whose submissions never end."""
    for number in range(count):
        folder = place / "in" / f"learner{number:04}"
        folder.mkdir(parents=True)
        (folder / "resolve.py").write_text(HOSTILE if number < hostile else answer())
    words = layerlab("grade", "1.3", "in", "-o", "results", "--jobs", str(jobs))
    return measured(count, lambda: run(words, place))


def nbgrader(place: Path) -> Cost:
    """One notebook."""
    run(layerlab("export", "1.3", "--to", "nbgrader", "-o", "."), place)
    (place / "nbgrader_config.py").write_text("get_config().CourseDirectory.course_id = 'c'\n")
    program = [sys.executable, "-m", "nbgrader"]
    run([*program, "generate_assignment", "1-3-resolve", "--create"], place)
    notebook = json.loads((place / "release/1-3-resolve/1-3-resolve.ipynb").read_text())
    for cell in notebook["cells"]:
        if "".join(cell["source"]).startswith("%%writefile"):
            cell["source"] = f"%%writefile resolve.py\n{answer()}"
    handed_in = place / "submitted/ada/1-3-resolve"
    handed_in.mkdir(parents=True)
    (handed_in / "1-3-resolve.ipynb").write_text(json.dumps(notebook))
    return measured(1, lambda: run([*program, "autograde", "1-3-resolve", "--create"], place))


def otter(place: Path) -> Cost:
    """One script, without a container."""
    run(layerlab("export", "1.3", "--to", "otter", "-o", "autograder.zip"), place)
    (place / "resolve.py").write_text(answer())
    (place / "out").mkdir()
    words = [sys.executable, "-m", "otter", "run", "-a", "autograder.zip", "-o", "out", "resolve.py"]
    return measured(1, lambda: run(words, place))


def available(module: str) -> bool:
    """Whether a peer is installed."""
    found = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True, check=False)
    return found.returncode == 0


def main() -> None:
    """Measure all in turn and print them."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--count", type=int, default=200, help="submissions of the class")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    peers = {"nbgrader autograde": ("nbgrader", nbgrader), "otter run": ("otter", otter)}
    costs: dict[str, Cost | None] = {}
    with tempfile.TemporaryDirectory() as top:

        def place(name: str) -> Path:
            folder = Path(top, name)
            folder.mkdir()
            return folder

        os.environ |= {"PYTHONPATH": str(ROOT), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        costs[OURS] = ours(place("ours"), options.count, options.jobs)
        hostile = options.count // 20
        costs["… 5 % of them endless"] = ours(place("hostile"), options.count, options.jobs, hostile=hostile)
        for name, (module, work) in peers.items():
            costs[name] = work(place(module)) if available(module) else None
        shutil.rmtree(top, ignore_errors=True)
        Path(top).mkdir()
    tell(costs, as_json=options.json)


def tell(costs: dict[str, Cost | None], *, as_json: bool) -> None:
    """Print the costs, and how many times ours each is."""
    floor = costs[OURS]
    assert floor is not None
    if as_json:
        rows = {name: None if cost is None else vars(cost) for name, cost in costs.items()}
        print(json.dumps(rows, indent=2))
        return
    for name, cost in costs.items():
        if cost is None:
            print(f"{name:<28} not installed")
        else:
            times = f"{cost.wall / floor.wall:8.1f} ×"
            print(f"{name:<28}{cost.wall * 1000:10.1f} ms {cost.cpu * 1000:10.1f} ms CPU {times}")


if __name__ == "__main__":
    main()
