"""free, ip, mount and tty: what the kernel of the simulated machine would answer."""

from __future__ import annotations

import os
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import parse

_UNITS: Final = {"b": 0, "k": 10, "m": 20, "g": 30}
_MEMORY: Final = ("total", "used", "free", "shared", "buff/cache", "available")
_LINK: Final = (
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n"
    "    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
)
_ADDRESSES: Final = (
    "    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n"
    "    inet6 ::1/128 scope host \n       valid_lft forever preferred_lft forever\n"
)


def free(process: Process) -> int:
    """Print how much memory there is, from /proc/meminfo."""
    options = parse(process.argv[1:], "bkmg", usage="[-bkmg]")
    unit = next((_UNITS[letter] for letter, _ in reversed(options.given)), _UNITS["k"])
    said = process.fs.read_bytes("/proc/meminfo").decode()
    kilobytes = {line.partition(":")[0]: int(line.split()[1]) for line in said.splitlines()}

    def get(*names: str) -> int:
        return sum(kilobytes.get(name, 0) for name in names) * 1024

    total, unused, swap = get("MemTotal"), get("MemFree"), get("SwapTotal")
    cached = get("Buffers", "Cached", "SReclaimable")
    used = total - unused - cached
    memory = [total, used, unused, get("Shmem"), cached, get("MemAvailable")]
    swaps = [swap, swap - get("SwapFree"), get("SwapFree")]
    process.out("       " + "".join(f"{name:>12}" for name in _MEMORY) + "\n")
    for label, row in (("Mem:   ", memory), ("Swap:  ", swaps)):
        process.out(label + "".join(f"{value >> unit:12}" for value in row) + "\n")
    return 0


def mount(process: Process) -> int:
    """Print what is mounted; mounting is refused, as to everybody without CAP_SYS_ADMIN."""
    options = parse(process.argv[1:], "at:o:rwfnvilO:", usage="[OPTIONS] [-o OPT] DEVICE NODE")
    if options.operands or "a" in options:
        process.complain("permission denied (are you root?)")
        return 1
    for line in process.fs.read_bytes("/proc/mounts").decode().splitlines():
        device, node, kind, flags, *_ = line.split()
        if options.value("t", kind) == kind:
            process.out(f"{device} on {node} type {kind} ({flags})\n")
    return 0


def tty(process: Process) -> int:
    """Say that the standard input is no terminal: a RUN has none."""
    options = parse(process.argv[1:], "s", {"silent": "s", "quiet": "s"}, usage="[-s]")
    if "s" not in options:
        process.out("not a tty\n")
    return 1


def ip(process: Process) -> int:
    """Print the one interface there is, its addresses and no routes; changes are refused."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if not words:
        process.stderr.write(b"Usage: ip [OPTIONS] address|route|link|neigh|rule [ARGS]\n")
        return 1
    noun, verb, device = words[0], words[1] if len(words) > 1 else "show", words[-1]
    if verb not in ("show", "list", "s", "l", "ls"):
        process.complain(f"RTNETLINK answers: {os.strerror(1)}")
        return 2
    if "dev" in words and device != "lo":
        process.complain(f"can't find device '{device}'")
        return 1
    if "address".startswith(noun):
        process.out(_LINK + _ADDRESSES)
    elif "link".startswith(noun):
        process.out(_LINK)
    return 0
