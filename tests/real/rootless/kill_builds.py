"""Ends builds at random points, by signals, and looks for what they leave.

    python tests/real/rootless/kill_builds.py --times 200 --seed 1 --base LAYOUT [--root DIR] STATE

With --root, builds are Kaniko-style, in DIR.
LAYOUT is an OCI layout whose one image has a shell. Exits with 1 and a line for everything that was left: a
process, a mount, a session that the next builder does not remove, a build that does not work any more.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

DOCKERFILE = """
FROM base AS one
RUN mkdir -p /d/e && for i in 1 2 3 4 5 6; do echo $i > /d/e/$i; done && chown -R 33:44 /d && chmod 0 /d/e
RUN (sleep 2718281828 & sleep 2718281828) & sleep 0.05; echo done > /done
COPY Dockerfile /copied
FROM base
COPY --from=one /d /d
RUN --mount=type=cache,target=/c sleep 0.05; echo x >> /c/x
"""
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
PATIENCE_SECONDS = 5.0


class Killing:
    """Builds in one state directory, of which most are not allowed to end."""

    def __init__(self, state: Path, base: Path, seed: int, root: Path | None = None) -> None:
        self.root = root
        self.state = state
        self.context = state.parent / f"{state.name}-context"
        self.context.mkdir(exist_ok=True)
        (self.context / "Dockerfile").write_text(DOCKERFILE)
        self.random = random.Random(seed)
        self.named = f"base=oci-layout://{base}"

    def command(self) -> list[str]:
        way = ["rootless"] if self.root is None else ["kaniko-style", "--root", str(self.root)]
        words = ["build", "--strategy", *way, "--no-cache", "-q", "--build-context", self.named]
        return [sys.executable, "-m", "course", "--state", str(self.state), *words, str(self.context)]

    def whole(self) -> float:
        """How long a build takes that nobody ends; raises if it fails."""
        began = time.monotonic()
        subprocess.run(self.command(), check=True, capture_output=True, timeout=120)
        return time.monotonic() - began

    def end_one(self, seconds: float) -> Iterator[str]:
        """What was left by a build that was ended at a random point."""
        number = self.random.choice(SIGNALS)
        after = self.random.uniform(0, seconds)
        process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        time.sleep(after)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        where = f"{signal.Signals(number).name} after {after:.3f} s"
        if "Traceback" in said:
            yield f"{where}: a traceback\n{said}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := self.processes():
            if time.monotonic() > deadline:
                yield from (f"{where}: a process: {each}" for each in left)
                return
            time.sleep(0.01)

    def processes(self) -> list[str]:
        listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
        ours = (str(self.state), "2718281828")
        me = " kill_builds.py"
        return [
            line
            for line in listed.stdout.splitlines()
            if any(each in line for each in ours) and "kill_builds" not in line and me not in line
        ]

    def left_at_the_end(self) -> Iterator[str]:
        """What the next build, which must work, does not clean up; and mounts."""
        self.whole()
        yield from (f"a session: {each}" for each in self.state.glob("trees/*/sessions/*"))
        if self.root is not None:
            yield from (f"in the root: {each}" for each in self.root.iterdir() if each.name != "kaniko")
            yield from (f"set aside: {each}" for each in (self.root / "kaniko" / "shown").iterdir())
        mounted = Path("/proc/self/mountinfo").read_text()
        if str(self.state) in mounted or (self.root is not None and str(self.root) in mounted):
            yield "a mount"
        yield from (f"a temporary blob: {each}" for each in self.state.glob("scratch/*"))


def main() -> None:
    """End builds as often as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--root", type=Path)
    parser.add_argument("state", type=Path)
    options = parser.parse_args()
    killing = Killing(options.state, options.base, options.seed, options.root)
    killing.whole()
    seconds = killing.whole() * 1.1
    found: list[str] = []
    for _ in range(options.times):
        found += killing.end_one(seconds)
    found += killing.left_at_the_end()
    shutil.rmtree(killing.context)
    print(f"{options.times} builds of {seconds:.2f} s ended at random points; left: {len(found)}")
    for each in found:
        print(each)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
