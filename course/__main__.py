"""Lets ``python -m course`` be the command ``layerlab``."""

from course.cli import main

main()
