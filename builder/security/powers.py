"""What each way of building holds in its hands, and what a hostile tenant reaches through it.

The table ``powers.csv`` was filled by trying: each power was used on a machine that could be thrown away.
Two attackers: one writes the Dockerfile alone, the other controls what the CI job's container runs.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from unionfs_sim.nodes.record import Record, fields

_TABLE: Final = "powers.csv"


class Powers(Record):
    """One way of building. ``dockerfile_reaches`` and ``job_reaches``: what the two attackers get."""

    key: str
    title: str
    daemon: str
    runs_as: str
    privileged: str
    host_mounts: str
    capabilities: str
    pod_security: str
    isolation: str
    credentials: str
    dockerfile_reaches: str
    job_reaches: str
    cost: str


@cache
def all_powers() -> tuple[Powers, ...]:
    """Every row of the table, in its order."""
    import csv  # here, as every build loads this module and few ask for the table
    from importlib import resources

    text = resources.files(__package__).joinpath(_TABLE).read_text(encoding="utf-8")
    names = fields(Powers)
    return tuple(Powers(*(row[name] for name in names)) for row in csv.DictReader(text.splitlines()))


def powers(key: str) -> Powers:
    """The row called ``key``; KeyError names those that exist.

    >>> powers("kaniko").credentials
    'readable by every RUN'
    """
    for row in all_powers():
        if row.key == key:
            return row
    raise KeyError(f"{key!r} is none of {', '.join(row.key for row in all_powers())}")
