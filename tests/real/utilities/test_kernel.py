"""free, ip, mount and tty beside busybox, which looks at this machine: the lines and what is refused."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from builder.world.machine.descriptor import ByteSource, SinkSource, opened
from builder.world.machine.machine import Machine
from builder.world.machine.process import Process
from builder.world.utilities import UTILITIES
from unionfs_sim.layers.layer import layer

pytestmark = pytest.mark.tools("busybox")


def ours(*argv: str) -> tuple[int, str]:
    """What the simulated utility prints where /proc is this machine's."""
    proc = {f"/proc/{name}": Path("/proc", name).read_bytes() for name in ("meminfo", "mounts")}
    output = bytearray()
    sink = opened(SinkSource(output.extend, lambda size: None))
    fds = {0: opened(ByteSource(b"")), 1: sink, 2: sink.duplicate()}
    process = Process(Machine(), UTILITIES, layer(proc), argv, {}, "/", fds)
    return UTILITIES[argv[0]](process), output.decode()


def busybox(*argv: str) -> tuple[int, str]:
    """What busybox prints."""
    done = subprocess.run(
        ["busybox", *argv],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    "line", ["tty", "tty -s", "ip link show dev lo", "ip addr show dev lo", "ip a s dev nosuch"]
)
def test_what_does_not_depend_on_the_machine_is_the_same(line: str) -> None:
    assert ours(*line.split()) == busybox(*line.split())


@pytest.mark.parametrize("option", ["-k", "-m", "-b"])
def test_free_has_the_lines_of_busybox(option: str) -> None:
    (status, text), (theirs, expected) = ours("free", option), busybox("free", option)

    assert (status, len(text)) == (theirs, len(expected))
    # What is used changes from one moment to the next; what there is in all does not.
    assert [re.sub(r"\d", "9", line)[:19] for line in text.splitlines()] == [
        re.sub(r"\d", "9", line)[:19] for line in expected.splitlines()
    ]
    assert [line.split()[:2] for line in text.splitlines()] == [
        line.split()[:2] for line in expected.splitlines()
    ]


def test_mount_lists_what_the_kernel_lists() -> None:
    assert ours("mount") == busybox("mount")
