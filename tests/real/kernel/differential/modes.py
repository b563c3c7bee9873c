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
    OTHER = "other"
    """It stays the upper, over other lowers (one more on top)."""
    SELF = "self"
    """It stays the upper and is a lower as well."""


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
    later: Mapping[str, str] | None = None
    """The options from the second phase on, if they are others."""
    layout: Layout = Layout.ONE
    turns: tuple[Turn, ...] = (Turn.STACK, Turn.REMOUNT)
    writable: bool = True
    raw: bool = False
    """No union at all: one plain layer against one plain tmpfs."""
    data_lowers: int = 0
    """How many of the lowers, counted from the base, are data-only; files above lead to them."""

    @property
    def prefix(self) -> str:
        """Where overlayfs keeps its marks in this mode."""
        return "user.overlay." if "userxattr" in self.options else "trusted.overlay."

    @property
    def is_together(self) -> bool:
        """Whether all layers lie on one file system, so that the union shows their inode numbers."""
        return self.layout is Layout.ONE and Turn.NEST not in self.turns

    @property
    def splits_inodes(self) -> bool:
        """Whether two inodes of the union often stand for one of the upper, as it cannot bear an origin."""
        return Turn.NEST in self.turns or "userxattr" in self.options

    def options_of(self, phase: int) -> Mapping[str, str]:
        """The options of a phase, counted from 0."""
        return self.options if phase == 0 or self.later is None else self.later


_ALL_ON: Final = {"redirect_dir": "on", "metacopy": "on", "index": "on", "xino": "on"}
_MOVES: Final = {"metacopy": "on", "redirect_dir": "on"}

MODES: Final[Mapping[str, Mode]] = {
    mode.name: mode
    for mode in (
        Mode("raw", raw=True),
        Mode("default"),
        Mode("redirect", {"redirect_dir": "on"}),
        Mode("metacopy", _MOVES),
        Mode("index", {"index": "on"}),
        Mode("all-on", _ALL_ON),
        Mode("userxattr", {"userxattr": ""}),
        Mode("nested", turns=(Turn.NEST,)),
        Mode("nested-all-on", _ALL_ON, turns=(Turn.NEST,)),
        Mode("read-only", writable=False, turns=()),
        Mode("non-samefs", layout=Layout.SEVERAL),
        Mode("non-samefs-xino", {"xino": "on"}, layout=Layout.SEVERAL),
        Mode("non-samefs-all-on", _ALL_ON, layout=Layout.SEVERAL),
        Mode("follow", _MOVES, later={"redirect_dir": "follow"}),
        Mode("nofollow", _MOVES, later={"redirect_dir": "nofollow"}),
        Mode("off-later", _ALL_ON, later={}),
        Mode("on-later", {}, later=_ALL_ON),
        Mode("data-only", _MOVES, data_lowers=1),
        Mode("data-only-follow", {"redirect_dir": "follow"}, data_lowers=2),
        Mode("volatile", {"volatile": ""}, turns=(Turn.STACK,)),
    )
}
