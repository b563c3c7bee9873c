"""Lessons, graded exercises, figures, and the root of the command line."""
