"""Reads the command lines of builders: flags that matter, flags that change nothing here, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from builder.errors import BuildError


@dataclass(frozen=True, slots=True)
class Grammar:
    """The flags of a command, without their hyphens. ``short``: letter → name.

    ``values``: take a value; ``switches``: take none, or one behind ``=``; ``without_effect``: values that
    are read and change nothing in the simulation.
    """

    values: AbstractSet[str]
    switches: AbstractSet[str] = frozenset()
    without_effect: AbstractSet[str] = frozenset()
    short: Mapping[str, str] = field(default_factory=dict)

    def read(self, program: str, words: Sequence[str]) -> Words:
        """The flags and what remains; BuildError for a flag that is not simulated."""
        found: dict[str, list[str]] = {}
        rest: list[str] = []
        waiting = list(words)
        while waiting:
            word = waiting.pop(0)
            if word == "--":
                return Words(found, [*rest, *waiting])
            if not word.startswith("-") or word == "-":
                rest.append(word)
                continue
            name, equals, value = word.lstrip("-").partition("=")
            if not word.startswith("--") and name[:1] in self.short and not name[1:]:
                name = self.short[name]
            if name in self.switches:
                found.setdefault(name, []).append(value or "true")
                continue
            if name not in self.values and name not in self.without_effect:
                raise BuildError(f"{program}: {word.partition('=')[0]} is not simulated")
            if not equals:
                if not waiting:
                    raise BuildError(f"{program}: {word} needs a value")
                value = waiting.pop(0)
            found.setdefault(name, []).append(value)
        return Words(found, rest)


@dataclass(frozen=True, slots=True)
class Words:
    """A command line that was read."""

    flags: Mapping[str, list[str]]
    rest: Sequence[str]

    def all(self, name: str) -> list[str]:
        """Every value of a flag."""
        return list(self.flags.get(name, ()))

    def last(self, name: str, usual: str = "") -> str:
        """The last value of a flag."""
        return self.flags.get(name, [usual])[-1]

    def has(self, name: str) -> bool:
        """Whether a switch is on."""
        return self.last(name, "false") not in ("false", "0")


def pairs(written: Sequence[str], env: Mapping[str, str]) -> dict[str, str]:
    """``NAME=value`` words; a bare ``NAME`` takes the value from the environment."""
    found: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if equals or name in env:
            found[name] = value if equals else env[name]
    return found
