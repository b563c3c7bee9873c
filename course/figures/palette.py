"""Colours that colour-blind readers tell apart (Okabe and Ito, 2008). No meaning hangs on colour alone."""

from __future__ import annotations

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
