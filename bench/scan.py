"""How long it takes to find out that nothing changed: a scan of 50,000 files, beside what walks them.

    python bench/scan.py [--files N] [--times N]

Peers in the same run: find(1) with a test that needs lstat of every name, and os.walk with lstat. The files
lie on a tmpfs, 1000 bytes each. Processor time says more than the clock where others work too. For ``full``:
Kaniko 1.24 needed 3.44 s for one RUN on such a base (pull, unpack and two scans, on two quiet cores), so our
figure beside it is an unpack and two looks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from builder.namespace.stack import Ownership
from builder.namespace.unpacking import write
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import default_ignored
from builder.snapshotters.scan.held import HeldSurvey
from builder.snapshotters.scan.known import compare, look
from builder.snapshotters.scan.root import Extraction
from unionfs_sim.layers.layer import layer
from unionfs_sim.tar.pack import pack

IN_A_DIRECTORY = 25
KANIKO_SECONDS = 3.44


def names(count: int) -> list[str]:
    """Paths for as many files: 25 in each directory, two deep."""
    return [f"/d{number // 1000}/e{number // IN_A_DIRECTORY}/file{number}" for number in range(count)]


def walked(top: str) -> int:
    """What os.walk costs that looks at every name."""
    count = 0
    for directory, _, files in os.walk(top):
        for name in files:
            os.lstat(f"{directory}/{name}")
            count += 1
    return count


def found(top: str) -> None:
    """What find(1) costs that looks at every name."""
    subprocess.run(["find", top, "-size", "-1"], check=True, stdout=subprocess.DEVNULL)


def unchanged(descriptor: int, mode: Mode) -> Callable[[], None]:
    """One look more, after the first."""
    known = look(HeldSurvey(descriptor), default_ignored(), mode)

    def again() -> None:
        difference = compare(known, look(HeldSurvey(descriptor), default_ignored(), mode))
        assert not difference.changed and not difference.deleted

    return again


def seconds(act: Callable[[], object]) -> tuple[float, float]:
    """How long it takes once, by the clock and of the processors, children included."""
    began, used = time.perf_counter(), sum(os.times()[:4])
    act()
    return time.perf_counter() - began, sum(os.times()[:4]) - used


def whole(place: Path, count: int) -> tuple[float, float]:
    """An unpack of a base with so many files, and the two looks of one RUN that changes nothing."""
    tree = layer({name: os.urandom(500).hex() for name in names(count)})
    packed, root = place / "layer.tar", place / "root"
    packed.write_bytes(b"".join(pack(tree)))
    root.mkdir()

    def act() -> None:
        extraction = Extraction(default_ignored())
        with open(packed, "rb") as stream:
            extraction.take(stream)
        write(extraction.tree, str(root), Ownership.REAL)
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        unchanged(descriptor, Mode.FULL)()

    return seconds(act)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    place = Path(tempfile.mkdtemp(dir=memory))
    try:
        top = str(place / "tree")
        for name in names(options.files):
            os.makedirs(os.path.dirname(top + name), exist_ok=True)
            Path(top + name).write_bytes(os.urandom(1000))
        descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        acts: dict[str, Callable[[], object]] = {
            "find -size": lambda: found(top),
            "os.walk and lstat": lambda: walked(top),
            **{f"scan, {mode.value}": unchanged(descriptor, mode) for mode in Mode},
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in acts}
        for _ in range(options.times):  # interleaved, so that a noisy moment hits all of them
            for name, act in acts.items():
                times[name].append(seconds(act))
        floor = min(used for _, used in times["os.walk and lstat"])
        print(f"{options.files:,} files that did not change: clock, processors, processors beside os.walk")
        for name, taken in times.items():
            clock, used = min(each for each, _ in taken), min(each for _, each in taken)
            print(f"  {name:18} {clock:6.3f} s  {used:6.3f} s  {used / floor:5.2f}")
        clock, used = whole(place, options.files)
        print(f"unpacked, and looked at twice in full: {clock:.2f} s, {used:.2f} s")
        print(f"  Kaniko 1.24, with its pull, elsewhere and quiet: {KANIKO_SECONDS:.2f} s for 50,000")
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
