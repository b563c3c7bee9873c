"""The command: runs every probe on all three, prints the differences, and writes their section."""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ordinary.probe import GROUPS, Probe, probes
from ordinary.reasons import REASONS

PAGE: Final = Path(__file__).parents[4] / "docs" / "fidelity.md"
BEGIN: Final = "<!-- begin probes -->"
END: Final = "<!-- end probes -->"
SIDES: Final = ("kernel", "model", "vanilla")


@dataclass(frozen=True)
class Comparison:
    """The outcomes of every probe, by side and name."""

    table: Sequence[Probe]
    outcomes: Mapping[str, Mapping[str, str]]

    def differing(self, side: str) -> list[Probe]:
        """The probes whose outcome is not the kernel's."""
        return [
            probe
            for probe in self.table
            if self.outcomes[side].get(probe.name) != self.outcomes["kernel"][probe.name]
        ]

    def equal(self, side: str) -> int:
        """How many outcomes are the kernel's."""
        return len(self.table) - len(self.differing(side))


def compare(sides: Sequence[str] = SIDES, only: str = "") -> Comparison:
    """Run the probes on each side, each side in a process of its own."""
    table = [probe for probe in probes() if only in probe.name]
    outcomes = {}
    script = Path(__file__).parents[1] / "probe.py"
    for side in sides:
        done = subprocess.run(
            [sys.executable, str(script), "--side", side, "--only", only],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(f"{side}: {done.stderr}")
        outcomes[side] = json.loads(done.stdout)
    return Comparison(table, outcomes)


def lines(found: Comparison) -> list[str]:
    """The section of docs/fidelity.md."""
    total = len(found.table)
    out = [
        f"{total} probes on Linux {platform.release()}, Python {platform.python_version()}: each a small "
        "function of ordinary file handling, run on a real overlay mount and inside `learner(union)` with "
        "the same layers; compared are the value, or the class, errno, file names and message of the error.",
        "",
        f"**{found.equal('model')} of {total} equal**; pyfakefs' own file system, filled with the merged "
        f"view: {found.equal('vanilla')} ({found.equal('vanilla') / total:.0%}).",
        "",
        "| group | probes | learner | pyfakefs |",
        "|---|---:|---:|---:|",
    ]
    ours, theirs = found.differing("model"), found.differing("vanilla")
    for group in GROUPS:
        count = sum(probe.group == group for probe in found.table)
        wrong = sum(probe.group == group for probe in ours)
        others = sum(probe.group == group for probe in theirs)
        out.append(f"| {group} | {count} | {count - wrong} | {count - others} |")
    if ours:
        out += ["", "What differs, and why:", ""]
    for probe in ours:
        out.append(f"- `{probe.name}`: {REASONS.get(probe.name, 'not explained')}")
    return [*out, "", "Again: `python tests/real/probes/probe.py --write` (as root)."]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if every difference has its reason, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="probe.py", description=__doc__)
    parser.add_argument("--side", choices=SIDES, help="run this side alone and print its outcomes as JSON")
    parser.add_argument("--only", default="", metavar="WORD", help="only probes whose name contains WORD")
    parser.add_argument("--write", action="store_true", help="write the section of docs/fidelity.md")
    options = parser.parse_args(arguments)
    if options.side:
        return _run(options.side, options.only)
    found = compare(only=options.only)
    for probe in found.differing("model"):
        mine, theirs = (found.outcomes[side].get(probe.name, "nothing") for side in ("kernel", "model"))
        _say(f"{probe.group}.{probe.name}\n    kernel: {mine:.400}\n    model:  {theirs:.400}")
    total = len(found.table)
    _say(f"{found.equal('model')} of {total} equal; vanilla pyfakefs {found.equal('vanilla')}")
    if options.write:
        _write(lines(found))
    return 1 if any(probe.name not in REASONS for probe in found.differing("model")) else 0


def _run(side: str, only: str) -> int:
    from importlib import import_module

    table = [probe for probe in probes() if only in probe.name]
    _say(json.dumps(import_module(f"ordinary.{side}").run(table)))
    return 0


def _write(text: Sequence[str]) -> None:
    if not PAGE.exists():
        raise SystemExit(f"{PAGE} is not there yet: python tests/real/kernel/fidelity.py makes it")
    page = PAGE.read_text()
    start, stop = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text(page[:start] + "\n\n" + "\n".join(text) + "\n\n" + page[stop:])


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
