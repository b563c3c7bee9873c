"""What one command may use up before it is stopped with a clear error."""

from __future__ import annotations

import sys
from typing import Final

from unionfs_sim.nodes.record import Record, fields

UNLIMITED: Final = sys.maxsize


class Limits(Record, kw_only=True):
    """Bytes, by what they are of; ``UNLIMITED`` for no bound."""

    output: int = 64 << 20
    """Printed on descriptors 1 and 2."""
    captured: int = 256 << 20
    """Held by all command substitutions together."""
    memory: int = 256 << 20
    """Held by all programs together: lines, what they read as a whole, the variables of shells."""
    written: int = 1 << 30
    """Put into files, holes included."""


NAMES: Final = fields(Limits)
"""What each limit is called."""
