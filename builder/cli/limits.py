"""``--limit``: what one simulated command may use up, and how to let it use more."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import click

from builder.world.machine.limits import NAMES, UNLIMITED, Limits

_SIZE: Final = re.compile(r"([0-9]{1,12})([kmgt]?)b?", re.IGNORECASE)
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_NONE: Final = "none"

limit_option: Final[Callable[[Any], Any]] = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=SIZE",
    help="What one simulated command may use: memory=256m (held by its programs), written=1g (into files), "
    "output=64m (printed), captured=256m (by command substitutions); SIZE none: no limit. May be repeated.",
)


def limits(written: Iterable[str]) -> Limits:
    """The limits that ``NAME=SIZE`` ask for; those not named are the usual ones.

    >>> limits(["memory=1g", "output=none"]).memory >> 20
    1024
    """
    chosen: dict[str, int] = {}
    for text in written:
        name, equals, size = text.partition("=")
        if not equals or name not in NAMES:
            raise click.UsageError(f"--limit {text}: write NAME=SIZE; the names are {', '.join(NAMES)}")
        match = _SIZE.fullmatch(size)
        if match is None and size != _NONE:
            raise click.UsageError(
                f"--limit {text}: a size is a number with k, m, g or t behind it, or {_NONE}"
            )
        chosen[name] = UNLIMITED if match is None else int(match[1]) * _UNITS[match[2].lower()]
    return Limits(**chosen)
