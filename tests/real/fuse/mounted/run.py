"""The command: random scenarios on the kernel's overlayfs and on a FUSE mount of the model."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence

from differential import syscalls
from differential.modes import MODES
from differential.page import write_sections
from differential.real import RealMachine
from differential.report import Report
from differential.scenario import play_random
from differential.shrink import describe, shrink

from unionfs_sim.fuse.served import REMEMBER_SECONDS

from .excuses import EXCUSES, excuse_for
from .machine import FuseMachine

SAMPLE = ("default", "redirect", "metacopy", "index", "all-on", "userxattr", "read-only")
"""Modes whose layers lie on one file system: a FUSE mount has one device number for all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if nothing differed, 1 if something did."""
    parser = argparse.ArgumentParser(prog="fuse_fuzz.py", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ops", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--mode", action="append", choices=SAMPLE)
    parser.add_argument("--keep-going", type=int, default=1, metavar="N")
    parser.add_argument("--write", action="store_true", help="write the section of docs/fidelity.md")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument(
        "--cached", action="store_true", help="let the kernel remember, as a user's mount does"
    )
    options = parser.parse_args(arguments)
    model = FuseMachine(REMEMBER_SECONDS if options.cached else 0)
    syscalls.enter_private_mounts()
    excused: Counter[str] = Counter()
    report, found, number, began = Report(), 0, options.first, time.monotonic()
    modes = options.mode or SAMPLE
    with tempfile.TemporaryDirectory() as workspace:
        kernel = RealMachine(workspace)
        try:
            while report.calls < options.ops and found < options.keep_going:
                name = f"{options.seed}:{number}"
                scenario, divergence = play_random(
                    name, MODES[modes[number % len(modes)]], kernel, model, report
                )
                number += 1
                excuse = divergence and excuse_for(scenario.mode, divergence)
                if excuse:
                    excused[excuse.reason] += 1
                elif divergence:
                    found += 1
                    _say(f"=== scenario {name}, mode {scenario.mode.name}: {divergence}")
                    if not options.no_shrink:
                        _say(describe(*shrink(scenario, divergence, kernel, model)))
        finally:
            kernel.leave_workspace()
            model.stop()
    if options.write:
        write_sections({"fuse": _section(report, found, options.seed)})
    for reason, times in excused.items():
        _say(f"{times} times, and cannot be mended: {reason}")
    seconds = time.monotonic() - began
    _say(
        f"kernel {platform.release()}, through FUSE: {report.calls} calls in {seconds:.0f} s, "
        f"{found} divergences"
    )
    return 1 if found else 0


def _section(report: Report, found: int, seed: int) -> list[str]:
    """The section of docs/fidelity.md."""
    return [
        f"Linux {platform.release()}, seed {seed}: **{report.calls:,} random calls in {len(SAMPLE)} modes "
        f"({', '.join(SAMPLE)}), {found} divergences** between the kernel's overlayfs and the model mounted "
        "by `layerlab fs mount --no-cache`; compared as above.",
        "",
        "Left out, because the kernel answers before the server is asked:",
        "",
        *(f"- {excuse.reason}." for excuse in EXCUSES),
        "",
        "Without `--no-cache` the kernel trusts what it was told until it changes it itself. Then the sizes "
        "and link counts of directories may be those from before a copy up in them, reading what is cached "
        "moves no access time, and chown(-1, -1) of another's setuid file is not refused.",
        "",
        f"Again: `python tests/real/fuse/fuse_fuzz.py --ops 50000 --seed {seed} --write` (as root).",
    ]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
