"""A RUN that never ends is ended, whatever it does: every loop of a program asks whether its time is over."""

import itertools
from collections import ChainMap

import pytest

from builder.errors import StepFailedError
from builder.protocols import Command, run
from builder.runners.simulated import SimulatedRunner
from builder.world.programs import PROGRAMS
from builder.world.shell import SHELLS
from builder.world.supplies.internet import NO_INTERNET
from builder.world.utilities import UTILITIES
from unionfs_sim.layers.layer import Dir, File, Layer, layer
from unionfs_sim.mounting import mount

ENDLESS = [
    "awk 'BEGIN { while (1); }'",
    "awk 1 /dev/zero",
    "base64 /dev/zero > x",
    "cat /dev/zero > x",
    "cmp /dev/zero /dev/zero",
    "cp /dev/zero x",
    "cut -c1 /dev/urandom > x",
    "dd if=/dev/zero of=x",
    "diff /dev/zero /text",
    "f() { f; }; while :; do f; done",
    "f() { f | f & }; f; wait",
    "find / -exec sh -c 'while :; do :; done' \\;",
    "fold /dev/zero > x",
    "grep x /dev/zero",
    "gzip -c /dev/zero > x",
    "head -c 99999999999 /dev/zero > x",
    "i=0; while :; do i=$((i+1)); done",
    "nl /dev/zero",
    "od /dev/zero > x",
    "od -v /dev/urandom > x",
    "paste /dev/zero > x",
    "read x < /dev/zero",
    "rev /dev/zero",
    "sed ':a;ba' /text",
    "sed ':a;N;ba' /dev/zero",
    "sed s/a/b/ /dev/zero",
    "seq 1 99999999999 > x",
    "sha256sum /dev/zero",
    "sort /dev/zero",
    "split /dev/zero",
    "tail /dev/zero",
    "tee x < /dev/zero > /dev/null",
    "tr a b < /dev/zero > x",
    "uniq /dev/zero",
    "until false; do sleep 1; done",
    "wc /dev/zero",
    "while read x; do :; done < /dev/zero",
    "x=$(cat /dev/zero)",
    "xargs -n1 echo < /dev/zero",
    "yes > /dev/null",
    "yes > x",
    "yes | cat > x",
]
PROGRAM_NAMES = sorted({*UTILITIES, *SHELLS})


@pytest.mark.parametrize("line", ENDLESS)
def test_a_command_without_an_end_is_ended_when_its_time_is_over(line: str) -> None:
    literal = {f"/bin/{name}": File(f"\x7fSIM {name}\n".encode(), mode=0o755) for name in PROGRAM_NAMES}
    root = mount([layer({**literal, "/tmp": Dir(), "/text": "one\ntwo\n"}).freeze()], Layer())
    # A second passes each time that somebody looks at the clock: no real time does.
    clock = itertools.count()
    runner = SimulatedRunner(
        ChainMap({}, UTILITIES, PROGRAMS, SHELLS), NO_INTERNET, seconds=lambda: float(next(clock))
    )
    command = Command(argv=("/bin/sh", "-c", line), cwd="/tmp", timeout_seconds=200)

    with pytest.raises(StepFailedError, match="did not end within 200 s"):
        run(runner, root, command, output=lambda _: None)
