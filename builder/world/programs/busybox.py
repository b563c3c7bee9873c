"""busybox: one program with many names, chosen by how it is called."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from builder.world.machine.process import Process
from builder.world.programs import PROGRAMS

_NOT_APPLETS: Final = frozenset(PROGRAMS) - {
    "adduser",
    "addgroup",
    "deluser",
    "delgroup",
    "wget",
}
"""Programs that busybox does not contain, whatever name a link to it has."""


def busybox(process: Process) -> int:
    """Run the applet that the command is named after, or that the first argument names."""
    name = process.name
    if name == "busybox":
        if len(process.argv) < 2 or process.argv[1] in ("--help", "--list"):
            return _list(process)
        process = replace(process, argv=process.argv[1:])
        name = process.name
    program = None if name in _NOT_APPLETS else process.programs.get(name)
    if program is None:
        similar = process.nearest(name)
        process.stderr.write(f"{name}: applet not found{similar}\n".encode("utf-8", "surrogateescape"))
        return 127
    return program(process)


def _list(process: Process) -> int:
    names = sorted(name for name in process.programs if name not in _NOT_APPLETS)
    if process.argv[1:] == ["--list"] or process.argv[1:] == ("--list",):
        process.out("".join(f"{name}\n" for name in names))
        return 0
    process.out(
        f"BusyBox (simulated) multi-call binary.\n\nCurrently defined functions:\n\t{', '.join(names)}\n"
    )
    return 0
