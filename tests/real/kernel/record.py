"""Records what the kernel answers, for machines where it cannot be asked; needs root.

    python tests/real/kernel/record.py [--seed N] [--scenarios N]

Writes tests/golden/kernel: for every mode some random scenarios, and for every wrong rule of the negative
controls the shortest sequence that shows it.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from differential import syscalls
from differential.model import ModelMachine
from differential.modes import MODES
from differential.mutants import MUTANTS, shortest
from differential.recording import Recorder, Recording, record, write
from differential.run import other_settings
from differential.scenario import play_random

GOLDEN = Path(__file__).resolve().parents[2] / "golden/kernel"


def main() -> int:
    """Record; 0 if the model agrees with everything that was recorded."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scenarios", type=int, default=4, help="random ones in every mode")
    options = parser.parse_args()
    if others := other_settings():
        sys.exit("\n".join(others) + "\nset it (sysctl -w) first: what is recorded is for every machine")

    GOLDEN.mkdir(exist_ok=True)
    syscalls.enter_private_mounts()
    release = platform.release().split("-")[0]
    with tempfile.TemporaryDirectory() as workspace:
        kernel, model = Recorder(workspace), ModelMachine()
        try:
            for mode in MODES.values():
                kept: list[Recording] = []
                for number in range(options.scenarios):
                    seed = f"{options.seed}:{mode.name}:{number}"
                    scenario, _ = play_random(seed, mode, kernel, None)
                    kept.append(record(seed, scenario, kernel, model, release))
                write(GOLDEN / f"{mode.name}.jsonl.xz", kept)
                sys.stdout.write(f"{mode.name}: {sum(len(each.answers) for each in kept)} answers\n")
            shown = []
            for mutant in MUTANTS:
                scenario = shortest(mutant, options.seed, kernel, model)
                shown.append(record(mutant.sentence, scenario, kernel, model, release))
            write(GOLDEN / "shortest.jsonl.xz", shown)
        finally:
            kernel.leave_workspace()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
