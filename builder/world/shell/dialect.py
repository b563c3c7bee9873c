"""Which shell is spoken: dash, busybox's ash, or as much of bash as Dockerfiles use."""

from __future__ import annotations

import enum


class Dialect(enum.Enum):
    """A shell whose habits are followed where POSIX leaves room.

    DASH is Debian's /bin/sh: no ``[[``, no ``pipefail``, and an echo that understands escapes. ASH is
    busybox's. BASH adds what build scripts use of it; arrays and process substitution are refused by name.
    """

    DASH = "dash"
    ASH = "ash"
    BASH = "bash"

    @property
    def has_extensions(self) -> bool:
        """Whether ``[[``, ``&>``, ``source``, ``$'…'`` and ``${x/a/b}`` mean something (ash and bash)."""
        return self is not Dialect.DASH
