"""What a RUN finds beside its image, as kernel and BuildKit put it there, and that no layer gets it."""

from __future__ import annotations

from collections import ChainMap

import pytest

from builder.protocols import Command, run
from builder.runners.simulated import SimulatedRunner
from builder.strategies.simulated import programs
from builder.world.supplies import bases
from builder.world.supplies.internet import NO_INTERNET
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import mount


def said(image: str, script: str) -> tuple[int, str, Layer]:
    """What a script in an embedded image came to, and what it changed."""
    base = bases.find(image)
    assert base is not None
    upper, output = Layer(), bytearray()
    runner = SimulatedRunner(ChainMap(dict(programs())), NO_INTERNET)
    command = Command(argv=("/bin/sh", "-c", script))
    ended = run(runner, mount(lowers=list(base.layers), upper=upper), command, output=output.extend)
    return ended.status, output.decode(), upper


@pytest.mark.parametrize(
    ("script", "output"),
    [
        ("cat /proc/sys/kernel/hostname /proc/sys/kernel/ostype", "buildkitsandbox\nLinux\n"),
        ("head -n 1 /proc/mounts", "overlay / overlay rw,relatime 0 0\n"),
        ("cut -d' ' -f1-3 /proc/version", "Linux version 6.1.0\n"),
        ("cat /proc/uptime", "0.00 0.00\n"),
        ("grep -c processor /proc/cpuinfo; nproc", "1\n1\n"),
        ("grep MemTotal /proc/meminfo", "MemTotal:        2097152 kB\n"),
        ("ls /sys", ""),
        ("ls -d /proc/self/fd /dev/pts", "/dev/pts\n/proc/self/fd\n"),
        ("grep -c localhost /etc/hosts", "2\n"),
        ("cut -d' ' -f1 /etc/resolv.conf", "nameserver\n"),
        ("mount | head -n 1", "overlay on / type overlay (rw,relatime)\n"),
        ("ip link | grep -c lo:", "1\n"),
    ],
)
@pytest.mark.parametrize("image", ["alpine:3.19", "busybox:1.36"])
def test_a_run_finds_what_kernel_and_runtime_put_there(image: str, script: str, output: str) -> None:
    status, printed, upper = said(image, script)

    assert (status, printed) == (0, output)
    assert upper.listdir("/") == []


@pytest.mark.parametrize(
    "script", ["echo x >/proc/x", "mkdir /sys/x", "echo x >>/etc/hosts", "echo x >/etc/resolv.conf"]
)
def test_what_lies_beside_the_image_cannot_be_changed(script: str) -> None:
    status, printed, upper = said("alpine:3.19", script)

    assert status != 0
    assert "Read-only file system" in printed
    assert upper.listdir("/") == []


@pytest.mark.parametrize(
    ("script", "status", "output"),
    [
        ("tty", 1, "not a tty\n"),
        ("tty -s", 1, ""),
        ("mount -t tmpfs none /mnt", 1, "mount: permission denied (are you root?)\n"),
    ],
)
def test_what_only_a_terminal_or_an_administrator_has_is_refused(
    script: str, status: int, output: str
) -> None:
    assert said("alpine:3.19", script)[:2] == (status, output)


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("alpine:3.19", "/var/lib"),
        ("alpine:3.19", "/var/lock"),
        ("debian:12-slim", "/etc/apt/preferences.d"),
    ],
)
def test_a_base_has_the_directories_of_the_real_one(image: str, path: str) -> None:
    assert said(image, f"ls -d {path}")[:2] == (0, f"{path}\n")


@pytest.mark.parametrize(
    ("image", "line"), [("alpine:3.19", "www-data:x:82:"), ("busybox:1.36", "wheel:x:10:root")]
)
def test_a_base_has_the_groups_of_the_real_one(image: str, line: str) -> None:
    assert said(image, f"grep {line} /etc/group")[:2] == (0, f"{line}\n")
