"""The flags of an instruction: ``--from=build``, ``--link`` (BuildKit ``bflag.go``)."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from builder.dockerfile.span import Span
from builder.dockerfile.suggest import did_you_mean
from builder.errors import DockerfileError


class Kind(enum.Enum):
    """What a flag takes."""

    TEXT = "one value"
    TEXTS = "a value, several times"
    SWITCH = "true or false, true if it stands alone"


Known: TypeAlias = Mapping[str, Kind]

NONE: Final[Known] = MappingProxyType({})
FROM: Final[Known] = MappingProxyType({"platform": Kind.TEXT})
RUN: Final[Known] = MappingProxyType({"mount": Kind.TEXTS, "network": Kind.TEXT, "security": Kind.TEXT})
_TRANSFER: Final = {"chown": Kind.TEXT, "chmod": Kind.TEXT, "link": Kind.SWITCH, "exclude": Kind.TEXTS}
COPY: Final[Known] = MappingProxyType({**_TRANSFER, "from": Kind.TEXT, "parents": Kind.SWITCH})
ADD: Final[Known] = MappingProxyType(
    {**_TRANSFER, "checksum": Kind.TEXT, "keep-git-dir": Kind.SWITCH, "unpack": Kind.SWITCH}
)
HEALTHCHECK: Final[Known] = MappingProxyType(
    dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), Kind.TEXT)
)


class Flags:
    """The values that were given; absent flags have the value that means so."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values

    def text(self, name: str) -> str | None:
        """The value of a flag that may stand once, or None."""
        values = self._values.get(name)
        return values[-1] if values else None

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a flag, in order."""
        return self._values.get(name, ())

    def switch(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.text(name) == "true"


def read_flags(written: Sequence[str], known: Known, *, instruction: str, where: Span) -> Flags:
    """The flags of one instruction; DockerfileError for an unknown, repeated or incomplete one."""
    values: dict[str, tuple[str, ...]] = {}
    for flag in written:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = known.get(name)
        if kind is None:
            raise DockerfileError(
                f"{instruction}: no such flag: --{name:.100}",
                where=where,
                fix=did_you_mean(
                    f"--{name}", [f"--{each}" for each in known], otherwise=_list(instruction, known)
                ),
            )
        if name in values and kind is not Kind.TEXTS:
            raise DockerfileError(
                f"{instruction}: --{name} stands twice", where=where, fix="keep one of them"
            )
        values[name] = (*values.get(name, ()), _checked(name, equals, value, kind, instruction, where))
    return Flags(values)


def _checked(name: str, equals: str, value: str, kind: Kind, instruction: str, where: Span) -> str:
    if kind is not Kind.SWITCH:
        if not equals:
            raise DockerfileError(
                f"{instruction}: --{name} has no value", where=where, fix=f"write --{name}=…"
            )
        return value
    if not equals:
        return "true"
    if value.lower() not in ("true", "false"):
        raise DockerfileError(
            f"{instruction}: --{name}={value:.100} is neither true nor false",
            where=where,
            fix=f"write --{name} alone",
        )
    return value.lower()


def _list(instruction: str, known: Known) -> str:
    if not known:
        return f"{instruction} has no flags"
    return f"{instruction} has " + ", ".join(f"--{name}" for name in sorted(known))
