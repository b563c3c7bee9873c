"""What one command may use up before it is stopped with a clear error."""

from __future__ import annotations

import sys
from dataclasses import dataclass, fields
from typing import Final

UNLIMITED: Final = sys.maxsize


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes, by what they are of; ``UNLIMITED`` for no bound."""

    output: int = 64 << 20
    """Printed on descriptors 1 and 2."""
    captured: int = 256 << 20
    """Held by all command substitutions together."""
    memory: int = 256 << 20
    """Held by one program: a line, what it reads as a whole, the variables of one shell."""
    written: int = 1 << 30
    """Put into files, holes included."""


NAMES: Final = tuple(field.name for field in fields(Limits))
"""What each limit is called."""
