"""uname, arch, hostname and nproc: the machine that a simulated RUN sees, which is always the same one."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.machine.procfs import HOSTNAME, RELEASE
from builder.world.utilities.commandline import number, parse

_FACTS: Final = {
    "s": "Linux",
    "n": HOSTNAME,
    "r": RELEASE,
    "v": "#1 SMP",
    "m": "x86_64",
    "p": "unknown",
    "i": "unknown",
    "o": "GNU/Linux",
}


def uname(process: Process) -> int:
    """Print names of the system."""
    long = {"all": "a", "kernel-name": "s", "nodename": "n", "kernel-release": "r", "kernel-version": "v"}
    long |= {"machine": "m", "processor": "p", "hardware-platform": "i", "operating-system": "o"}
    options = parse(process.argv[1:], "snrvmpioa", long, usage="[-amnrspvio]")
    chosen = {letter for letter, _ in options.given} or {"s"}
    if "a" in chosen:
        chosen = set("snrvmo")
    process.out(" ".join(fact for letter, fact in _FACTS.items() if letter in chosen) + "\n")
    return 0


def arch(process: Process) -> int:
    """Print the kind of machine."""
    process.out(_FACTS["m"] + "\n")
    return 0


def hostname(process: Process) -> int:
    """Print the name of the machine."""
    options = parse(process.argv[1:], "dfisF:", usage="[-sidf] [HOSTNAME | -F FILE]")
    if options.operands or "F" in options:
        process.complain("sethostname: Operation not permitted")
        return 1
    process.out(("" if "d" in options else "127.0.0.1" if "i" in options else HOSTNAME) + "\n")
    return 0


def nproc(process: Process) -> int:
    """Print the number of processors: one, so that builds come out alike everywhere."""
    options = parse(process.argv[1:], "", {"all": "a", "ignore": "i:"}, usage="[--all] [--ignore=N]")
    number(options.value("i", "0"))
    process.out("1\n")
    return 0
