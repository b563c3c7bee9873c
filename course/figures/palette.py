"""Colours that colour-blind readers tell apart (Okabe and Ito, 2008). No meaning hangs on colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BLUE: Final = "#0072b2"
ORANGE: Final = "#e69f00"
VERMILION: Final = "#d55e00"
GREEN: Final = "#009e73"
PURPLE: Final = "#cc79a7"
DARK_PURPLE: Final = "#a3487d"
BLACK: Final = "#1a1a1a"
TEXT: Final = "#333333"
MUTED: Final = "#666666"
LINE: Final = "#bbbbbb"
GREY: Final = "#d9d9d9"
PANEL: Final = "#f2f2f2"
UPPER_PANEL: Final = "#fff6e0"
VISIBLE_PANEL: Final = "#e8f3ec"
WHITE: Final = "#ffffff"

INK: Final = "#555555"
GREYED: Final = "#888888"
HATCH: Final = "#777777"
LIGHT_VERMILION: Final = "#fbe3d6"
LIGHT_ORANGE: Final = "#fdf1d3"

DARK: Final[Mapping[str, str]] = MappingProxyType(
    {
        BLUE: "#56b4e9",
        ORANGE: "#f0b840",
        VERMILION: "#f58b4c",
        GREEN: "#35c49a",
        PURPLE: "#e29cc4",
        DARK_PURPLE: "#eab2d3",
        BLACK: "#f2f2f2",
        TEXT: "#dadada",
        MUTED: "#a8a8a8",
        LINE: "#5a6068",
        GREY: "#3a3f45",
        PANEL: "#23272c",
        UPPER_PANEL: "#352b12",
        VISIBLE_PANEL: "#17301f",
        WHITE: "#15181b",
        INK: "#b5b5b5",
        GREYED: "#8d939a",
        HATCH: "#7f868d",
        LIGHT_VERMILION: "#4a2b1a",
        LIGHT_ORANGE: "#463716",
    }
)
"""What each colour becomes on a dark page. White text on a colour becomes dark text on its lighter sister."""
