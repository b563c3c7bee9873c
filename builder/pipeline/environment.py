"""The environment of a step: written, or from what ConfigMaps and Secrets hold (Kubernetes, EnvVar)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from builder.errors import BuildError
from builder.pipeline.order import Part
from builder.security.tekton.reading import Manifest, items, mapping, text

Files = Mapping[tuple[str, str], Mapping[str, bytes]]
"""Kind and name of ConfigMaps and Secrets → what they hold."""

_KEYS: Final = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_WHOLE: Final = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
_OPENS_NOTHING: Final = "simulated"
"""What a Secret holds that no file has."""


class UnknownKeyError(BuildError):
    """A ConfigMap, or a key of one, is not there: the kubelet would not start the container."""


def environment(step: Manifest, part: Part, files: Files) -> dict[str, str]:
    """The variables of a step, each of which may use the ones before it; envFrom comes first.

    Raises UnknownKeyError for a key that is not there and not optional, NotSupportedError for other sources.
    """
    found: dict[str, str] = {}
    for _, each in items(step, "envFrom"):
        found |= _whole(each, files)
    for index, each in items(step, "env"):
        source = mapping(each, "valueFrom")
        if not source:
            found[text(each, "name")] = expanded(text(each, "value"), found)
            continue
        key = next((name for name in _KEYS if name in source), "")
        if not key:
            raise part.refused("env with valueFrom", "env", index, "valueFrom", fix="write value")
        value = _keyed(_KEYS[key], mapping(source, key), files)
        if value is not None:
            found[text(each, "name")] = value
    return found


def _whole(source: Manifest, files: Files) -> dict[str, str]:
    """All that one ConfigMap or Secret holds, under names with a prefix."""
    found: dict[str, str] = {}
    for name, kind in _WHOLE.items():
        reference = mapping(source, name)
        if not reference:
            continue
        held = files.get((kind, text(reference, "name")))
        if held is None and kind == "ConfigMap" and reference.get("optional") is not True:
            raise UnknownKeyError(f"there is no {kind} {text(reference, 'name')!r}", fix="put it into a file")
        found |= {text(source, "prefix") + key: _decoded(value) for key, value in (held or {}).items()}
    return found


def _keyed(kind: str, reference: Manifest, files: Files) -> str | None:
    """What one key holds; None if it is optional and not there."""
    name, key = text(reference, "name"), text(reference, "key")
    held = files.get((kind, name))
    if held is not None and key in held:
        return _decoded(held[key])
    if kind == "Secret" and held is None:
        return _OPENS_NOTHING
    if reference.get("optional") is True:
        return None
    raise UnknownKeyError(f"the {kind} {name!r} has no key {key!r}", fix="put it into a file")


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


_VARIABLE: Final = re.compile(r"\$(\$)?\(([A-Za-z_.-][\w.-]*)\)")


def expanded(written: str, env: Mapping[str, str]) -> str:
    """``$(NAME)`` filled as the kubelet does it: unknown names stay, and ``$$(`` is ``$(``.

    >>> expanded("$(A) $$(A) $(B)", {"A": "1"})
    '1 $(A) $(B)'
    """

    def value(match: re.Match[str]) -> str:
        return match[0][1:] if match[1] else env.get(match[2], match[0])

    return _VARIABLE.sub(value, written)
