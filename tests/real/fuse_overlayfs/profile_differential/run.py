"""The command: asks every side for the facts, compares random calls, and writes docs/profiles.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from differential import generator, paths, stacks, syscalls
from differential.bench import Bench
from differential.real import RealMachine
from differential.report import Report
from differential.scenario import play_random

from unionfs_sim.profiles.profile import Profile

from .facts import FACTS
from .machines import LONGEST, MODE, Died, Fields, FuseMachine, ProfileMachine, is_comparable

SIDES: Final = ("kernel", "fuse-overlayfs", "model:kernel", "model:fuse-overlayfs", "model:oci-unpack")
SHORT_NAMES: Final = tuple(name for name in stacks.NAMES if len(name) <= LONGEST and name[0] != ".")
PATIENCE: Final = 40
"""Stacks per thousand calls: more of them end at once."""


def facts_of(side: str) -> list[str]:
    """What one side answers to every fact."""
    with tempfile.TemporaryDirectory() as workspace:
        machine: Any
        if side == "kernel":
            machine = RealMachine(workspace)
        elif side == "fuse-overlayfs":
            machine = FuseMachine(workspace)
        else:
            machine = ProfileMachine(Profile(side.removeprefix("model:")))
        bench = Bench(machine)
        answers = []
        for fact in FACTS:
            try:
                bench.mount(*fact.lowers)
                answers.append(fact.look(bench))
            except (OSError, Died) as error:
                answers.append(f"cannot be asked: {error}")
            bench.finish()
        if isinstance(machine, RealMachine):
            machine.leave_workspace()
    return [str(answer).replace("n" * 100, "…") for answer in answers]


class Compared(NamedTuple):
    """What a run of random calls gave."""

    calls: int
    stacks: int
    divergences: int
    died: int
    kinds: Mapping[str, int]

    @property
    def rate(self) -> float:
        """Divergences per 100,000 calls."""
        return 100_000 * self.divergences / max(1, self.calls)


class Comparable(generator.Generator):
    """Draws calls that both sides can be asked."""

    def next(self) -> Any:
        """The next call."""
        while True:
            op = super().next()
            if is_comparable(op):
                return op


def compare(profile: Profile, fields: Fields, seed: int, calls: int, *, with_links: bool) -> Compared:
    """Play random stacks on fuse-overlayfs and the model; after a divergence the next stack begins."""
    from unittest.mock import patch

    from differential import scenario

    weights = {kind: share for kind, share in stacks._WEIGHTS.items() if kind not in ("device", "block")}
    if not with_links:
        del weights["hardlink"]
    report, kinds, died, number = Report(), Counter[str](), 0, 0
    with (
        tempfile.TemporaryDirectory() as workspace,
        patch.object(stacks, "NAMES", SHORT_NAMES),
        patch.object(paths, "NAMES", SHORT_NAMES),
        patch.object(stacks, "_WEIGHTS", weights),
        patch.object(scenario, "Generator", Comparable),
    ):
        real = FuseMachine(workspace, fields)
        model = ProfileMachine(profile, fields)
        while report.calls < calls and number < PATIENCE * calls // 1000:
            number += 1
            try:
                _, found = play_random(f"{seed}:{number}", MODE, real, model, report)
            except Died:
                died += 1
                continue
            if found is not None:
                words = found.subject.partition("(")[0].rpartition(" ")[2]
                kinds[words if found.where == "call" else found.where] += 1
        real.leave_workspace()
    return Compared(report.calls, number, kinds.total(), died, kinds)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; prints JSON, or writes the page."""
    parser = argparse.ArgumentParser(prog="profiles.py", description=__doc__)
    parser.add_argument("--facts", choices=SIDES, help="print what one side answers")
    parser.add_argument("--rate", action="store_true", help="print how often the model's profile differs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--write", action="store_true", help="write docs/profiles.md")
    options = parser.parse_args(arguments)
    syscalls.enter_private_mounts()
    if options.facts:
        _print(facts_of(options.facts))
    elif options.rate:
        found = compare(Profile.FUSE_OVERLAYFS, Fields.ALL, options.seed, options.calls, with_links=True)
        _print(found._asdict() | {"rate": found.rate})
    if options.write:
        from .page import page

        answers = {side: facts_of(side) for side in SIDES}
        answers["rootless"] = rootless_facts()
        rows = [
            (name, compare(profile, fields, options.seed, options.calls, with_links=links))
            for name, profile, fields, links in (
                ("the kernel's profile, fields that both have", Profile.KERNEL, Fields.COMMON, True),
                ("fuse-overlayfs' profile, the same fields", Profile.FUSE_OVERLAYFS, Fields.COMMON, True),
                ("fuse-overlayfs' profile, all fields", Profile.FUSE_OVERLAYFS, Fields.ALL, True),
                ("… without hard links in layers", Profile.FUSE_OVERLAYFS, Fields.ALL, False),
            )
        ]
        target = Path(__file__).parents[4] / "docs" / "profiles.md"
        target.write_text(page(answers, rows, options.seed))
    return 0


def rootless_facts() -> list[str]:
    """What fuse-overlayfs answers to somebody without privileges, in a user namespace."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.mknod(f"{folder}/fuse", 0o020666, os.makedev(10, 229))
        os.chmod(f"{folder}/fuse", 0o666)
        os.mkdir(f"{folder}/tmp")
        os.chmod(f"{folder}/tmp", 0o777)
        script = Path(__file__).parents[1] / "profiles.py"
        python = f"/usr/bin/python3 -B {script} --facts fuse-overlayfs"
        inside = f"mount --bind {folder}/fuse /dev/fuse && exec {python}"
        done = subprocess.run(
            [
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "unshare",
                "-Urm",
                "sh",
                "-c",
                inside,
            ],
            env={"PATH": os.defpath, "TMPDIR": f"{folder}/tmp", "PYTHONPATH": str(script.parents[3])},
            capture_output=True,
            text=True,
            check=True,
        )
    answers: list[str] = json.loads(done.stdout)
    return answers


def _print(value: object) -> None:
    sys.stdout.write(json.dumps(value, default=dict) + "\n")


def kernel() -> str:
    """The version of the running kernel."""
    return platform.release()
