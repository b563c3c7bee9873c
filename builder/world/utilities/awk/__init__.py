"""awk: patterns and actions on records (POSIX awk)."""
