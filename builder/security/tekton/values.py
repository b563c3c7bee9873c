"""Putting values in the places of variables ``$(…)`` (Tekton, pkg/substitution).

>>> look = of_params({"image": "web", "flags": ["-q", "-x"]})
>>> filled("to $(params.image)", look), filled_list(["a", "$(params.flags[*])"], look)
('to web', ['a', '-q', '-x'])
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from builder.security.tekton.reading import Manifest, items, text
from builder.security.tekton.variables import Variable, variables

Value: TypeAlias = str | list[str] | dict[str, str]
"""What a param or a result holds."""

Lookup: TypeAlias = Callable[[Variable], Value | None]
"""What stands for a variable; None: it stays as it is written."""


def value_from(written: Any) -> Value:
    """A value as Tekton takes it: what is neither string, list of strings nor object is its JSON's text."""
    if isinstance(written, str):
        return written
    if isinstance(written, list) and all(isinstance(each, str) for each in written):
        return list(written)
    if isinstance(written, dict) and all(isinstance(each, str) for each in written.values()):
        return dict(written)
    return json.dumps(written, separators=(",", ":"))


def defaults(holder: Manifest, key: str = "params") -> dict[str, Value]:
    """The defaults of what ``holder`` declares, by name."""
    return {
        text(spec, "name"): value_from(spec["default"])
        for _, spec in items(holder, key)
        if spec.get("default") is not None
    }


def given(holder: Manifest, look: Lookup, before: Mapping[str, Value] | None = None) -> dict[str, Value]:
    """The values that ``holder`` passes, with variables filled, over those ``before``.

    An object's keys that are not passed keep their defaults.
    """
    found = dict(before or {})
    for _, param in items(holder, "params"):
        if "value" in param:
            name, value = text(param, "name"), filled_value(value_from(param["value"]), look)
            old = found.get(name)
            found[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
    return found


def of_params(params: Mapping[str, Value]) -> Lookup:
    """Looks up ``params`` only."""

    def look(variable: Variable) -> Value | None:
        if variable.root != "params" or not variable.names:
            return None
        return selected(params, variable.names, variable.index)

    return look


def selected(values: Mapping[str, Value], names: tuple[str, ...], index: str) -> Value | None:
    """The value, the item or the key that is meant. A name may itself have dots."""
    for length in range(len(names), 0, -1):
        value, rest = values.get(".".join(names[:length])), names[length:]
        if value is None:
            continue
        if rest:
            return value.get(".".join(rest)) if isinstance(value, dict) else None
        if index and index != "*":
            return value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
        return value
    return None


def filled(written: str, look: Lookup) -> str:
    """A string with its variables filled; lists and objects in it are their JSON."""
    for variable in variables(written):
        value = look(variable)
        if value is not None:
            written = written.replace(variable.text, value if isinstance(value, str) else json.dumps(value))
    return written


def filled_list(written: Iterable[str], look: Lookup) -> list[str]:
    """Strings with their variables filled; one that is a list and nothing else becomes its items."""
    found: list[str] = []
    for each in written:
        alone = next((variable for variable in variables(each) if variable.alone), None)
        value = None if alone is None else look(alone)
        if isinstance(value, list):
            found += value
        else:
            found.append(filled(each, look))
    return found


def filled_value(value: Value, look: Lookup) -> Value:
    """A value with its variables filled; a string that is one variable takes that one's kind."""
    if isinstance(value, str):
        alone = next((variable for variable in variables(value) if variable.alone), None)
        whole = None if alone is None else look(alone)
        return filled(value, look) if whole is None else whole
    if isinstance(value, list):
        return filled_list(value, look)
    return {key: filled(each, look) for key, each in value.items()}


def filled_tree(written: Any, look: Lookup) -> Any:
    """A part of a manifest with the variables of all its strings filled, but not those of its keys."""
    if isinstance(written, str):
        return filled(written, look)
    if isinstance(written, Mapping):
        return {key: filled_tree(each, look) for key, each in written.items()}
    if isinstance(written, list):
        if all(isinstance(each, str) for each in written):
            return filled_list(written, look)
        return [filled_tree(each, look) for each in written]
    return written
