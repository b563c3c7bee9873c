"""Reading a manifest whose structure may be wrong: what is not of the expected type reads as absent.

The structure is reported by ``schema``; the rules read past what is broken and report the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from builder.security.tekton.finding import Path

Manifest: TypeAlias = Mapping[str, Any]


def mapping(holder: Manifest, key: str) -> Manifest:
    """The mapping under ``key``; empty if there is none.

    >>> mapping({"spec": {"a": 1}}, "spec"), mapping({"spec": 5}, "spec")
    ({'a': 1}, {})
    """
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def items(holder: Manifest, key: str) -> list[tuple[int, Manifest]]:
    """The mappings in the list under ``key``, with their indices."""
    value = holder.get(key)
    if not isinstance(value, list):
        return []
    return [(index, item) for index, item in enumerate(value) if isinstance(item, dict)]


def text(holder: Manifest, key: str) -> str:
    """The string under ``key``; empty if there is none."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def texts(holder: Manifest, key: str) -> list[tuple[int, str]]:
    """The strings in the list under ``key``, with their indices."""
    value = holder.get(key)
    if not isinstance(value, list):
        return []
    return [(index, item) for index, item in enumerate(value) if isinstance(item, str)]


def named(holder: Manifest, key: str) -> dict[str, Manifest]:
    """The mappings in the list under ``key`` by their ``name``; the first of equal names."""
    found: dict[str, Manifest] = {}
    for _, item in items(holder, key):
        found.setdefault(text(item, "name"), item)
    return found


def strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every string within ``value`` but keys, with the way to it from ``path``."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from strings(item, (*path, key))
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))
