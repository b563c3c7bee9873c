"""How much a real command may do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

from unionfs_sim.nodes.record import Record, field

ALLOW_HOST_ROOT: Final = "--allow-host-root"
"""How it is said on the command line that commands may be the machine's root."""


class HostRoot(enum.Enum):
    """Whether uid 0 of a command may be the machine's own: only where somebody says so."""

    REFUSED = "refused"
    ALLOWED = "allowed"


class Confinement(Record, kw_only=True):
    """Limits of one command. ``limits``: RLIMIT_* by name (getrlimit(2)), soft and hard.

    ``no_new_privileges``: whether setuid programs (sudo, su) get nothing that they ask for, inside.
    ``strict_owner``: whether a build with a single id, where owners that commands give are lost, is refused.
    ``upper_bytes``: how much a command may add to its root before it is killed; None: as much as there is.
    ``host_root``: whether its uid 0 may be the machine's.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    no_new_privileges: bool = False
    strict_owner: bool = False
    upper_bytes: int | None = None
    host_root: HostRoot = HostRoot.REFUSED
