"""``--ulimit``, ``--limit-upper``, ``--no-new-privileges``, ``--strict-owner``: what real commands may do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import click

from builder.namespace.confinement import Confinement, HostRoot

_SIZE: Final = re.compile(r"(\d{1,15})([kmgt]?)i?b?", re.IGNORECASE | re.ASCII)
_UNITS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
ULIMITS: Final = ("core", "cpu", "data", "fsize", "memlock", "nofile", "nproc", "stack", "as")
"""Names of limits, as setrlimit(2) has them without RLIMIT_; a size or a number of each."""


def confinement(options: Mapping[str, Any]) -> Confinement:
    """What the options of a command line allow; UsageError for what makes no sense."""
    limits = {}
    for written in options["ulimits"]:
        name, _, number = written.partition("=")
        if name not in ULIMITS or not (number.isascii() and number.isdigit() and len(number) < 19):
            raise click.UsageError(f"--ulimit {written}: write NAME=NUMBER; names: {', '.join(ULIMITS)}")
        limits[name.upper()] = int(number)
    limit = options["limit_upper"]
    return Confinement(
        limits=limits,
        no_new_privileges=options["no_new_privileges"],
        strict_owner=options["strict_owner"],
        upper_bytes=None if limit is None else _bytes(limit),
        host_root=host_root(options),
    )


def host_root(options: Mapping[str, Any]) -> HostRoot:
    """Whether ``--allow-host-root`` was given."""
    return HostRoot.ALLOWED if options["allow_host_root"] else HostRoot.REFUSED


def _bytes(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise click.UsageError(f"--limit-upper {text}: write a size such as 500m or 2g")
    return int(match[1]) << 10 * _UNITS[match[2].lower()]
