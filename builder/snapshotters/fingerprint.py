"""How a scan tells whether a path changed: Kaniko's three modes (``--snapshot-mode``).

Kaniko v1.24 ``pkg/util/util.go``: ``Hasher``, ``RedoHasher``, ``MtimeHasher``. There a digest stands for the
fields that are looked at; here the fields themselves do, and a digest only for contents, because which change
is noticed depends on the fields alone.
"""

from __future__ import annotations

import enum
from typing import TypeAlias


class Mode(enum.Enum):
    """What a scan looks at: everything, the attributes, or the time of the last change alone."""

    FULL = "full"
    REDO = "redo"
    TIME = "time"


Fingerprint: TypeAlias = int | tuple[object, ...]
"""What stands for the state of a path; equal ones mean that nothing was noticed."""
