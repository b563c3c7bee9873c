"""Ordinary Python file handling, tried on a kernel overlay mount and inside ``learner(union)``."""
