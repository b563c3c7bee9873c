"""Patterns: those of the shell, and POSIX regular expressions."""
