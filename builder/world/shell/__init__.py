"""The shells of the simulated world: one interpreter of POSIX's language, in three dialects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.world.machine.process import Process, Program
from builder.world.shell.dialect import Dialect


def _shell(dialect: Dialect) -> Program:
    def run(process: Process) -> int:
        # Imported when first run: a build that finds every step in the cache runs no shell.
        from builder.world.shell.program import shell_program

        return shell_program(dialect)(process)

    return run


SHELLS: Final[Mapping[str, Program]] = MappingProxyType(
    {
        "sh": _shell(Dialect.ASH),
        "ash": _shell(Dialect.ASH),
        "dash": _shell(Dialect.DASH),
        "bash": _shell(Dialect.BASH),
    }
)
"""By the name in an executable's header. busybox's sh is ash; Debian's is a link to dash."""
