"""awk: patterns and actions on records (POSIX awk)."""

from builder.world.utilities.awk.program import awk

__all__ = ["awk"]
