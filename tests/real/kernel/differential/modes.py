"""The ways to mount that are compared."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


class Turn(enum.Enum):
    """What becomes of the upper when the next phase mounts."""

    FIRST = "first"
    STACK = "stack"
    """It becomes the top lower of a new upper."""
    REMOUNT = "remount"
    """It stays the upper."""
    NEST = "nest"
    """The union stays mounted and is the only lower of a second one."""


class Layout(enum.Enum):
    """How the layers lie on file systems."""

    ONE = "one"
    SEVERAL = "several"
    """Odd lowers on a second tmpfs."""


@dataclass(frozen=True)
class Mode:
    """A way to mount: options, and what is done between the phases."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    layout: Layout = Layout.ONE
    turns: tuple[Turn, ...] = (Turn.STACK, Turn.REMOUNT)
    writable: bool = True
    raw: bool = False
    """No union at all: one plain layer against one plain tmpfs."""
    forged: bool = False
    """The layers hold redirect and metacopy marks that no mount has written."""
    data_lowers: int = 0
    """How many of the lowers, counted from the base, are data-only."""

    @property
    def prefix(self) -> str:
        """Where overlayfs keeps its marks in this mode."""
        return "user.overlay." if "userxattr" in self.options else "trusted.overlay."


_ALL_ON: Final = {"redirect_dir": "on", "metacopy": "on", "index": "on", "xino": "on"}

MODES: Final[Mapping[str, Mode]] = {
    mode.name: mode
    for mode in (
        Mode("raw", raw=True),
        Mode("default"),
        Mode("redirect", {"redirect_dir": "on"}),
        Mode("metacopy", {"metacopy": "on", "redirect_dir": "on"}),
        Mode("index", {"index": "on"}),
        Mode("all-on", _ALL_ON),
        Mode("userxattr", {"userxattr": ""}),
        Mode("nested", turns=(Turn.NEST,)),
        Mode("nested-all-on", _ALL_ON, turns=(Turn.NEST,)),
        Mode("read-only", writable=False, turns=()),
        Mode("non-samefs", layout=Layout.SEVERAL),
        Mode("non-samefs-xino", {"xino": "on"}, layout=Layout.SEVERAL),
        Mode("non-samefs-all-on", _ALL_ON, layout=Layout.SEVERAL),
        Mode("nofollow", {"redirect_dir": "nofollow"}, forged=True),
        Mode("forged", {"metacopy": "on", "redirect_dir": "on"}, forged=True),
        Mode("forged-follow", {"redirect_dir": "follow"}, forged=True),
        Mode("data-only", {"metacopy": "on", "redirect_dir": "on"}, forged=True, data_lowers=1),
        Mode("data-only-follow", {"redirect_dir": "follow"}, forged=True, data_lowers=2),
        Mode("volatile", {"volatile": ""}, turns=(Turn.STACK,)),
    )
}
