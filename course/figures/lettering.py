"""How wide a text is, without a font engine: advance widths of DejaVu Sans, in thousandths of the size.

matplotlib draws with this very font; browsers fall back to Verdana or the like, whose widths are no larger.
"""

from __future__ import annotations

import enum
import unicodedata
from typing import Final


class Face(enum.Enum):
    """The three faces that figures use."""

    REGULAR = "regular"
    BOLD = "bold"
    MONO = "mono"


# Advances of U+0020 to U+007E, read from the font's hmtx table.
_REGULAR: Final = (
    "318 401 460 838 636 950 780 275 390 390 500 838 318 361 318 337 636 636 636 636 636 636 636 636 "
    "636 636 337 337 838 838 838 531 1000 684 686 698 770 632 575 775 752 295 295 656 557 863 748 787 "
    "603 787 695 635 611 732 684 989 685 611 685 390 337 390 838 500 500 613 635 550 635 615 352 635 "
    "634 278 278 579 278 974 634 612 635 635 411 521 392 634 592 818 592 592 525 636 337 636 838"
)
_BOLD: Final = (
    "348 456 521 838 696 1002 872 306 457 457 523 838 380 415 380 365 696 696 696 696 696 696 696 696 "
    "696 696 400 400 838 838 838 580 1000 774 762 734 830 683 683 821 837 372 372 775 637 995 837 850 "
    "733 850 770 720 682 812 774 1103 771 724 725 457 365 457 838 500 500 675 716 593 716 678 435 716 "
    "712 343 343 665 343 1042 712 687 716 716 493 595 478 712 652 924 645 652 582 712 365 712 838"
)
_ADVANCES: Final = {
    Face.REGULAR: tuple(map(int, _REGULAR.split())),
    Face.BOLD: tuple(map(int, _BOLD.split())),
    Face.MONO: (602,) * 95,
}


def width(text: str, size: float, face: Face = Face.REGULAR) -> float:
    """The width of ``text`` at ``size`` pixels, in pixels.

    >>> width("layer", 10)
    23.34
    """
    advances = _ADVANCES[face]
    total = 0
    for char in text:
        code = ord(char)
        if 32 <= code < 127:
            total += advances[code - 32]
        else:
            total += 1000 if unicodedata.east_asian_width(char) in "WF" else 838
    return total * size / 1000


def fit(text: str, room: float, size: float, face: Face = Face.REGULAR) -> str:
    """``text``, or as much of its two ends around a … as ``room`` pixels hold.

    >>> fit("a-very-long-name.conf", 70, 10)
    'a-very…e.conf'
    """
    if width(text, size, face) <= room:
        return text
    for kept in range(len(text) - 1, 0, -1):
        shorter = text[: kept - kept // 2] + "…" + text[len(text) - kept // 2 :]
        if width(shorter, size, face) <= room:
            return shorter
    return "…"


def lines(text: str, room: float, size: float, face: Face = Face.REGULAR) -> list[str]:
    """``text`` broken at spaces into lines of at most ``room`` pixels; a longer word is shortened.

    >>> lines("a file, a directory", 60, 10)
    ['a file, a', 'directory']
    """
    made: list[str] = []
    for word in text.split():
        longer = f"{made[-1]} {word}" if made else word
        if made and width(longer, size, face) <= room:
            made[-1] = longer
        else:
            made.append(fit(word, room, size, face))
    return made
