"""The shells of the simulated world: one interpreter of POSIX's language, in three dialects."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.world.process import Program
from builder.world.shell.dialect import Dialect
from builder.world.shell.program import shell_program

SHELLS: Final[Mapping[str, Program]] = MappingProxyType(
    {
        "sh": shell_program(Dialect.ASH),
        "ash": shell_program(Dialect.ASH),
        "dash": shell_program(Dialect.DASH),
        "bash": shell_program(Dialect.BASH),
    }
)
"""By the name in an executable's header. busybox's sh is ash; Debian's is a link to dash."""
