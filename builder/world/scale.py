"""How heavy the simulated world is."""

from typing import Final

SCALE: Final = 100
"""Programs and libraries of the embedded images weigh 1/SCALE of the real ones."""
