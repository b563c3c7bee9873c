"""The command: plays scenarios, shrinks what differs, prints the report."""

from __future__ import annotations

import argparse
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Final

from . import syscalls
from .machine import Machine
from .modes import MODES
from .real import RealMachine
from .report import Report
from .scenario import Divergence, Scenario, play_random

PATIENCE_S: Final = 60
"""A call that hangs is the model's mistake: it ends as one."""


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="fuzz.py", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ops", type=int, default=100_000, help="how many calls to compare")
    parser.add_argument("--mode", action="append", choices=tuple(MODES), help="only this mode (repeatable)")
    parser.add_argument("--first", type=int, default=0, help="number of the first scenario")
    parser.add_argument("--keep-going", type=int, default=1, metavar="N", help="stop after N divergences")
    parser.add_argument(
        "--kernel-only", action="store_true", help="drive the kernel alone, to try the generator"
    )
    parser.add_argument("--mutant", type=int, help="spoil the model by the mutant of this number first")
    parser.add_argument("--only-name", action="store_true", help="name what differs, do not shrink it")
    parser.add_argument("--quiet", action="store_true", help="no table of verbs")
    return parser.parse_args(arguments)


def scenarios(seed: int, first: int, modes: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Seeds and modes, in turn."""
    number = first
    while True:
        yield f"{seed}:{number}", modes[number % len(modes)]
        number += 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 if nothing differed, 1 if something did."""
    options = parse(arguments)
    signal.signal(signal.SIGALRM, _give_up)
    syscalls.enter_private_mounts()
    if options.mutant is not None:
        return _hunt(options.mutant, options.seed)
    for difference in other_settings():
        _say(f"{difference}: calls in sticky directories may differ (sysctl -w changes it)")
    model = None if options.kernel_only else _model()
    report = Report()
    found = 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as workspace:
        kernel = RealMachine(workspace)
        try:
            for seed, mode in scenarios(options.seed, options.first, options.mode or tuple(MODES)):
                signal.alarm(PATIENCE_S)
                scenario, divergence = play_random(seed, MODES[mode], kernel, model, report)
                signal.alarm(0)
                if divergence:
                    found += 1
                    assert model is not None
                    if options.only_name:
                        _say(f"=== scenario {seed}, mode {mode}: {divergence}")
                    else:
                        _show(seed, scenario, divergence, kernel, model)
                if report.calls >= options.ops or found >= options.keep_going:
                    break
        finally:
            kernel.leave_workspace()
    seconds = time.monotonic() - began
    if not options.quiet:
        _say("\n".join(report.lines()))
    _say(
        f"kernel {platform.release()}: {report.calls} calls in {seconds:.0f} s "
        f"({report.calls / seconds:.0f}/s), {found} divergences"
    )
    return 1 if found else 0


SYSCTLS: Final = {
    "protected_hardlinks": "1",
    "protected_symlinks": "0",
    "protected_regular": "0",
    "protected_fifos": "0",
}
"""The settings under /proc/sys/fs that the model has; Debian's own differ in the second."""


def other_settings() -> list[str]:
    """What this machine has set otherwise than the model, whose calls then differ in sticky directories."""
    found = {}
    for name in SYSCTLS:
        try:
            with open(f"/proc/sys/fs/{name}") as file:
                found[name] = file.read().strip()
        except OSError:
            continue
    return [
        f"fs.{name} is {value} here and {SYSCTLS[name]} in the model"
        for name, value in found.items()
        if value != SYSCTLS[name]
    ]


def _give_up(*_: object) -> None:
    raise TimeoutError(f"one scenario took more than {PATIENCE_S} seconds")


def _hunt(number: int, seed: int) -> int:
    """Look for one mutant; 0 if it is noticed."""
    from .model import ModelMachine
    from .mutants import MUTANTS, notice

    with tempfile.TemporaryDirectory() as workspace:
        kernel = RealMachine(workspace)
        try:
            found = notice(MUTANTS[number], seed, kernel, ModelMachine())
        finally:
            kernel.leave_workspace()
    how = f"noticed after {found.calls} calls ({found.how})" if found.calls else "NOT NOTICED"
    _say(f"row {found.mutant.row}: {found.mutant.sentence}: {how}")
    return 0 if found.calls else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _model() -> Machine:
    from .model import ModelMachine

    return ModelMachine()


def _show(seed: str, scenario: Scenario, divergence: Divergence, kernel: Machine, model: Machine) -> None:
    from .shrink import describe, shrink

    _say(f"=== scenario {seed}, mode {scenario.mode.name}: {divergence}")
    smaller, last = shrink(scenario, divergence, kernel, model)
    _say(describe(smaller, last))
