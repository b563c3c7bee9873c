"""Runs every mode and every mutant, and writes their sections of docs/fidelity.md."""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import syscalls
from .machine import Machine
from .model import ModelMachine
from .modes import MODES, Layout, Mode
from .mutants import MUTANTS, Noticed, notice
from .page import of_rows, of_verbs, table, write_sections
from .real import RealMachine
from .report import Report
from .scenario import play_random


@dataclass
class Measurement:
    """What a run of all modes gave."""

    report: Report = field(default_factory=Report)
    divergences: dict[str, int] = field(default_factory=dict)
    scenarios: dict[str, int] = field(default_factory=dict)


def measure(seed: int, calls_per_mode: int, kernel: Machine, model: Machine) -> Measurement:
    """Play random scenarios in every mode until each has its number of calls."""
    done = Measurement()
    for mode in MODES.values():
        done.divergences[mode.name] = done.scenarios[mode.name] = 0
        while done.report.modes[mode.name] < calls_per_mode:
            name = f"{seed}:{mode.name}:{done.scenarios[mode.name]}"
            _, divergence = play_random(name, mode, kernel, model, done.report)
            done.scenarios[mode.name] += 1
            done.divergences[mode.name] += divergence is not None
            if divergence:
                sys.stderr.write(f"=== scenario {name}: {divergence}\n")
    return done


def of_modes(done: Measurement) -> list[str]:
    """The table of modes."""
    rows = [
        (name, _described(MODES[name]), done.scenarios[name], calls, done.divergences[name])
        for name, calls in done.report.modes.items()
    ]
    return table(("mode", "how it is mounted", "stacks", "calls", "divergences"), rows)


def _listed(options: Mapping[str, str]) -> str:
    return ", ".join(f"`{key}={value}`" if value else f"`{key}`" for key, value in options.items())


def _described(mode: Mode) -> str:
    words = [_listed(mode.options)] if mode.options else []
    if mode.later is not None:
        words.append(f"then {_listed(mode.later) or 'no option'}")
    if mode.layout is Layout.SEVERAL:
        words.append("layers on two file systems")
    if mode.data_lowers:
        words.append(f"{mode.data_lowers} data-only")
    if mode.raw:
        words.append("no union: a layer beside a tmpfs")
    words += [turn.value for turn in mode.turns if turn.value == "nest"]
    if not mode.writable:
        words.append("no upper")
    return ", ".join(words)


def of_summary(done: Measurement, seed: int, calls_per_mode: int, seconds: float) -> list[str]:
    """The sentences above the tables."""
    report = done.report
    others = 1 - report.callers[0] / report.calls
    return [
        f"Linux {platform.release()}, seed {seed}: **{report.calls:,} calls in {len(MODES)} modes, "
        f"{sum(done.divergences.values())} divergences**; {others:.0%} of the calls by callers other than "
        f"root; {report.calls / seconds:,.0f} calls a second on both sides together.",
        "",
        "Every stack has one to eight lowers of random files, directories, links, devices, whiteouts and "
        "opaque directories, and up to three mounts: the upper of one becomes a lower of the next. After "
        "each call the result or errno is compared; every fifty calls the merged tree (names, types, "
        "modes, owners, link counts, inode identity, sizes, times, blocks, contents, extended "
        "attributes); after each unmount all raw layers. Left out: ctime, the atime of directories and "
        "of files with several names (of all files in nested and userxattr mounts), the order of listings, "
        "the blocks of directories, the values of the marks origin (a file handle) and uuid (a random "
        "number).",
        "",
        f"Again: `python tests/real/kernel/fidelity.py --seed {seed} --calls {calls_per_mode}` (as root), or "
        "`make fuzz SEED=7 OPS=100000` for a run that shrinks what it finds.",
        "",
        "A few scenarios of every mode, and the shortest sequence for each negative control, are recorded "
        "with the kernel's answers in `tests/golden/kernel`: without root the model is held against those.",
    ]


def of_limits() -> list[str]:
    """What the zero in the summary does not speak of."""
    return [
        "Zero divergences speak only of the calls that are made. Left out on purpose, the first two because "
        "the model is known to differ there:",
        "",
        "* POSIX ACLs: the kernel sets `system.posix_acl_access` on tmpfs, the model refuses it (ENOTSUP).",
        "* Changing, through a descriptor, a directory that was removed meanwhile: the kernel may even put a "
        "copy of it over a new empty directory of that name. Files whose name is gone are compared.",
        "* Linking through a descriptor by callers other than root.",
        "* Pipes: a fifo is opened and closed at once. Devices have no driver, so that opening them fails.",
        "* Memory maps and running programs (ETXTBSY): the model has both, its own tests hold them.",
        "* Positions inside a directory's listing: an open directory is listed from its start.",
        "* Redirect and metacopy marks written by hand, but for files that point into data-only layers: the "
        "others are made by mounts of an earlier phase.",
    ]


def of_mutants(noticed: Sequence[Noticed]) -> list[str]:
    """The table of mutants."""
    rows = [
        (
            one.mutant.row,
            one.mutant.sentence,
            one.mode,
            one.calls if one.calls else "**not noticed**",
            one.how,
        )
        for one in noticed
    ]
    return [
        "A comparison that finds nothing proves nothing unless it can find something: each line is a copy of "
        "the model with one rule made wrong, and the call at which the comparison noticed.",
        "",
        *table(("row", "what is wrong", "mode", "noticed after calls", "by"), rows),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write; 1 if anything differed or a mutant lived."""
    parser = argparse.ArgumentParser(prog="fidelity.py", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=10_000, help="calls in each mode")
    options = parser.parse_args(arguments)
    syscalls.enter_private_mounts()
    with tempfile.TemporaryDirectory() as workspace:
        kernel, model = RealMachine(workspace), ModelMachine()
        try:
            began = time.monotonic()
            done = measure(options.seed, options.calls, kernel, model)
            seconds = time.monotonic() - began
            noticed = [notice(mutant, options.seed, kernel, model) for mutant in MUTANTS]
        finally:
            kernel.leave_workspace()
    sections: dict[str, Sequence[str]] = {
        "limits": of_limits(),
        "summary": of_summary(done, options.seed, options.calls, seconds),
        "modes": of_modes(done),
        "verbs": of_verbs(done.report),
        "rows": of_rows(done.report),
        "mutants": of_mutants(noticed),
    }
    write_sections(sections)
    return 1 if any(done.divergences.values()) or not all(one.calls for one in noticed) else 0
