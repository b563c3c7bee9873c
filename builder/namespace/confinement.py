"""How much a real command may do."""

from __future__ import annotations

from collections.abc import Mapping

from unionfs_sim.nodes.record import Record, field


class Confinement(Record, kw_only=True):
    """Limits of one command. ``limits``: RLIMIT_* by name (getrlimit(2)), soft and hard.

    ``no_new_privileges``: whether setuid programs (sudo, su) get nothing that they ask for, inside.
    ``strict_owner``: whether a build with a single id, where owners that commands give are lost, is refused.
    ``upper_bytes``: how much a command may add to its root before it is killed; None: as much as there is.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    no_new_privileges: bool = False
    strict_owner: bool = False
    upper_bytes: int | None = None
