"""What a FUSE mount cannot do as overlayfs does: the kernel answers before the server is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from differential.modes import Mode
from differential.scenario import Divergence


@dataclass(frozen=True)
class Excuse:
    """A difference that is not the model's; the scenario ends there."""

    subject: str
    kernel: str
    model: str
    reason: str
    option: str = ""
    """Only under this mount option."""

    def covers(self, mode: Mode, found: Divergence) -> bool:
        """Whether this is the difference found."""
        if self.option and self.option not in mode.options:
            return False
        pairs = (self.subject, found.subject), (self.kernel, found.kernel), (self.model, found.model)
        return all(re.search(pattern, text) for pattern, text in pairs)


EXCUSES: Final = (
    Excuse(
        r"\] seek\(\d, -?\d+, [234]\)$",
        "^EINVAL$",
        "^(ENXIO|ok)",
        "lseek on an open directory with SEEK_END, SEEK_DATA or SEEK_HOLE: FUSE answers from the inode's "
        "size, overlayfs refuses",
    ),
    Excuse(
        ".",
        r"^size \d+/\d+$",
        "^(size|.each field above)",
        "index=on, and an attribute changed through a descriptor of a file with several names: FUSE asks by "
        "inode and not by name, so that the copy up may get another of the names",
        option="index",
    ),
)


def excuse_for(mode: Mode, found: Divergence) -> Excuse | None:
    """The reason why a difference cannot be mended, if it is one of those."""
    return next((excuse for excuse in EXCUSES if excuse.covers(mode, found)), None)
