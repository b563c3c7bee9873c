"""Breaks the core in many small ways and looks which the tests notice.

    python tests/mutation/run.py [--seed N] [--mutants N] [--jobs N] [--only PATH] [--write]

A mutant is killed if a test that runs its line fails, ends it with an error or takes far too long. First
those tests are asked that need no root, then, for what lived, the comparison with the kernel. Mutants that
mean the same as the original count as alive. ``--write`` puts the table into docs/fidelity.md.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operators import Mutant, mutants

ROOT: Final = Path(__file__).resolve().parents[2]
ROOMS: Final = {
    "unionfs_sim/overlay": ("tests/unit/unionfs_sim", "tests/laws", "tests/real/kernel"),
    "unionfs_sim/vfs": ("tests/unit/unionfs_sim", "tests/laws", "tests/real/kernel"),
    "builder/engine": ("tests/unit/builder/engine", "tests/unit/builder/cli", "tests/laws", "tests/golden"),
    "builder/context": ("tests/unit/builder/context", "tests/unit/builder/engine", "tests/golden"),
}
"""What is mutated, and whose tests are asked."""
WITHOUT_ROOT: Final = "not (kernel or rootless or tools or docker or browser or notebook or fuse)"
KERNEL_CALLS: Final = 10_000
PATIENCE: Final = 5.0
"""How many times longer than without a change the tests may take, and some seconds."""


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant. ``by``: what noticed it, or ""; ``kernel``: nothing but the kernel did."""

    mutant: Mutant
    before: str
    by: str
    kernel: bool = False


@dataclass(frozen=True)
class Coverage:
    """What one file of tests runs: the seconds that it takes, and the lines of each module."""

    seconds: float
    lines: dict[str, set[int]]


class Copy:
    """A copy of the project, in which one mutant at a time is tried."""

    def __init__(self, place: Path) -> None:
        self.place = place
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in names.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)

    def run(self, command: Sequence[str], seconds: float) -> int:
        """Run a Python command on the copy; its status, 124 if it took longer."""
        environment = os.environ | {"PYTHONPATH": str(self.place), "PYTHONDONTWRITEBYTECODE": "1"}
        with subprocess.Popen(
            [sys.executable, *command],
            cwd=self.place,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(seconds)
            except subprocess.TimeoutExpired:
                return 124
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, 9)

    def tests(self, files: Iterable[str], seconds: float) -> int:
        """Run files of tests until one fails."""
        options = ["-x", "-q", "-p", "no:cacheprovider", "-m", WITHOUT_ROOT]
        return self.run(["-m", "pytest", *options, *files], seconds)

    def coverage(self, file: str) -> Coverage:
        """What a file of tests runs; none of it if it does not pass (or holds nothing to run here)."""
        data = self.place / ".coverage"
        began = time.monotonic()
        sources = ",".join(ROOMS)
        status = self.run(
            ["-m", "coverage", "run", "--source", sources, "-m", "pytest", "-q", "-m", WITHOUT_ROOT, file],
            600,
        )
        if status:
            return Coverage(0, {})
        seconds = time.monotonic() - began
        self.run(["-m", "coverage", "json", "-q", "-o", str(data) + ".json"], 60)
        found = json.loads(Path(str(data) + ".json").read_text())["files"]
        return Coverage(seconds, {name: set(each["executed_lines"]) for name, each in found.items()})


class Trial:
    """Several copies of the project, and what the tests run in them."""

    def __init__(self, copies: Sequence[Copy], *, kernel: bool, seed: int) -> None:
        self._free: queue.Queue[Copy] = queue.Queue()
        for copy in copies:
            self._free.put(copy)
        self._kernel = kernel
        self._seed = seed
        self._coverage: dict[str, Coverage] = {}

    def measure(self, file: str) -> None:
        """Learn what a file of tests runs."""
        copy = self._free.get()
        try:
            self._coverage[file] = copy.coverage(file)
        finally:
            self._free.put(copy)

    def files(self, mutant: Mutant) -> list[str]:
        """The files of tests that run the line of a mutant, the fastest first."""
        room = next(room for room in ROOMS if mutant.path.startswith(room))
        return sorted(
            (
                file
                for file, covers in self._coverage.items()
                if file.startswith(ROOMS[room]) and mutant.line in covers.lines.get(mutant.path, ())
            ),
            key=lambda file: self._coverage[file].seconds,
        )

    def try_(self, mutant: Mutant) -> Verdict:
        """What becomes of a mutant."""
        copy = self._free.get()
        file = copy.place / mutant.path
        source = file.read_bytes()
        before = mutant.before(source)
        try:
            file.write_bytes(mutant.applied(source))
            tests = self.files(mutant)
            seconds = 60 + PATIENCE * sum(self._coverage[each].seconds for each in tests)
            if tests and (status := copy.tests(tests, seconds)) not in (0, 5):
                return Verdict(mutant, before, "time" if status == 124 else "tests")
            if self._kernel and mutant.path.startswith("unionfs_sim"):
                options = ["--quiet", "--only-name", "--seed", str(self._seed), "--ops", str(KERNEL_CALLS)]
                if copy.run(["tests/real/kernel/fuzz.py", *options], 600):
                    return Verdict(mutant, before, "kernel", kernel=True)
            return Verdict(mutant, before, "")
        finally:
            file.write_bytes(source)
            self._free.put(copy)


def sample(seed: int, count: int, only: str) -> list[Mutant]:
    """The mutants of a seed: as many from every module as its lines give."""
    found = [
        mutant
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if (name := str(path.relative_to(ROOT))).startswith(only)
        for mutant in mutants(name, path.read_text())
    ]
    return random.Random(seed).sample(found, min(count, len(found)))


def test_files() -> list[str]:
    """The files of tests that can be asked."""
    suites = sorted({suite for suites in ROOMS.values() for suite in suites})
    return [
        str(path.relative_to(ROOT)) for suite in suites for path in sorted((ROOT / suite).rglob("test_*.py"))
    ]


def report(verdicts: Sequence[Verdict], *, asked: str, kernel: bool) -> list[str]:
    """The table of rooms, and every survivor."""
    lines = ["| room | mutants | killed without root | with the kernel |", "|---|---:|---:|---:|"]
    for room in (*ROOMS, ""):
        these = [each for each in verdicts if each.mutant.path.startswith(room)]
        if not these:
            continue
        plain = sum(bool(each.by) and not each.kernel for each in these)
        both = sum(bool(each.by) for each in these)
        told = f"{both} ({both / len(these):.0%})" if kernel else "not asked"
        lines.append(f"| {room or 'all'} | {len(these)} | {plain} ({plain / len(these):.0%}) | {told} |")
    alive = sorted((each for each in verdicts if not each.by), key=lambda each: each.mutant)
    lines += ["", f"`python tests/mutation/run.py {asked}`"]
    lines += ["", "Those that nothing noticed (some mean the same as the original):", ""]
    lines += [
        f"- `{each.mutant.path}:{each.mutant.line}`: `{each.before:.80}` → `{each.mutant.after:.80}`"
        for each in alive
    ]
    return lines


def main() -> int:
    """Run; 0 whatever is found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", type=int, default=300)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="mutate only what lies below this path")
    parser.add_argument("--write", action="store_true", help="write the table into docs/fidelity.md")
    options = parser.parse_args()
    kernel = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as place, ThreadPoolExecutor(options.jobs) as pool:
        copies = [Copy(Path(place) / str(number)) for number in range(options.jobs)]
        trial = Trial(copies, kernel=kernel, seed=options.seed)
        chosen = sample(options.seed, options.mutants, options.only)
        rooms = {room for room in ROOMS if any(each.path.startswith(room) for each in chosen)}
        suites = tuple({suite for room in rooms for suite in ROOMS[room]})
        files = [file for file in test_files() if file.startswith(suites)]
        for number, _ in enumerate(pool.map(trial.measure, files), 1):
            _progress(f"what the tests run: {number} of {len(files)} files")
        verdicts = []
        for number, verdict in enumerate(pool.map(trial.try_, chosen), 1):
            verdicts.append(verdict)
            _progress(f"{number} of {len(chosen)} mutants, {sum(not each.by for each in verdicts)} alive")
    sys.stderr.write("\n")
    asked = f"--seed {options.seed} --mutants {options.mutants}"
    asked += f" --only {options.only}" if options.only else ""
    lines = report(verdicts, asked=asked, kernel=kernel)
    sys.stdout.write("\n".join(lines) + "\n")
    if options.write:
        sys.path.insert(0, str(ROOT / "tests/real/kernel"))
        from differential.page import write_sections

        write_sections({"source-mutants": lines})
    return 0


def _progress(text: str) -> None:
    sys.stderr.write(f"\r\033[K{text}" if sys.stderr.isatty() else text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
