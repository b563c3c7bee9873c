"""The structure of Tekton's manifests: which fields there are, of which type; nothing else is allowed.

``fields.json`` is written from the API references of Tekton (tekton.dev/v1; StepAction v1beta1) and
Kubernetes (core/v1). The CRDs of a cluster leave taskSpec, a Task's volumes and param values open; here they
have their types too. Notation of a field's type: a name is another entry, ``["T"]`` a list, ``{"*": "T"}`` a
mapping with any keys, and ``!`` after a field's name means that it must be there.

Walked directly: fastjsonschema takes 0.4 s to compile a JSON Schema of the same, and says less.
The tests hold the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Final

from builder.security.tekton.finding import Finding, Path


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_quantity(value: Any) -> bool:
    return isinstance(value, str | float) or _is_integer(value)


_PLAIN: Final[Mapping[str, tuple[str, Callable[[Any], bool]]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "duration": ("a duration such as 1h30m", lambda value: isinstance(value, str)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "int": ("an integer", _is_integer),
    "int|string": ("an integer or a string", lambda value: _is_integer(value) or isinstance(value, str)),
    "quantity": ("a quantity such as 500m or 1Gi", _is_quantity),
    "value": ("a string, a list of strings or a mapping to strings", lambda _: True),
    "any": ("anything", lambda _: True),
}
"""The types that are no entry of the table: what they are called, and which values have them."""


def violations(kind: str, document: Any) -> list[Finding]:
    """What keeps ``document`` from having the structure of ``kind``, in its order; empty where it has it."""
    return list(_violations(kind, document, (), kind))


def kinds() -> tuple[str, ...]:
    """The kinds of manifests that have a structure here."""
    return tuple(name for name, fields in table().items() if "apiVersion!" in fields)


@cache
def table() -> Mapping[str, Mapping[str, Any]]:
    """``fields.json``: the name of a type → its fields, with their types in the notation above."""
    text = resources.files(__package__).joinpath("fields.json").read_text(encoding="utf-8")
    fields: Mapping[str, Mapping[str, Any]] = json.loads(text)
    return fields


def _violations(type_: Any, value: Any, path: Path, kind: str) -> Iterator[Finding]:
    if isinstance(type_, list):
        if not isinstance(value, list):
            yield _wrong(path, "a list", value)
            return
        for index, item in enumerate(value):
            yield from _violations(type_[0], item, (*path, index), kind)
    elif isinstance(type_, dict):
        if not isinstance(value, dict):
            yield _wrong(path, "a mapping", value)
            return
        for key, item in value.items():
            yield from _violations(type_["*"], item, (*path, key), kind)
    elif type_ in _PLAIN:
        name, has = _PLAIN[type_]
        if not has(value):
            fix = 'put it in quotes: "…"' if type_ == "string" and isinstance(value, int | float) else ""
            yield _wrong(path, name, value, fix)
    elif not isinstance(value, dict):
        yield _wrong(path, "a mapping", value)
    else:
        yield from _entry(table()[type_], value, path, kind)


def _entry(fields: Mapping[str, Any], value: dict[Any, Any], path: Path, kind: str) -> Iterator[Finding]:
    """The fields of one mapping against its entry of the table."""
    holder = place(path) if path else f"a {kind}"
    for name in fields:
        if name.endswith("!") and value.get(name[:-1]) is None:
            yield Finding("missing-field", path, f"{name[:-1]!r} is missing in {holder}")
    for name, item in value.items():
        type_ = fields.get(name, fields.get(f"{name}!"))
        if item is None and type_ is not None:
            if f"{name}!" not in fields:
                yield Finding(
                    "empty-field",
                    (*path, name),
                    f"{name!r} has no value, which means the same as leaving it out",
                )
        elif type_ is None:
            known = [each.rstrip("!") for each in fields]
            yield Finding(
                "unknown-field",
                (*path, name),
                f"{name!r} is no field of {holder}",
                suggestion(str(name), known),
            )
        else:
            yield from _violations(type_, item, (*path, name), kind)


def _wrong(path: Path, expected: str, value: Any, fix: str = "") -> Finding:
    return Finding("wrong-type", path, f"{place(path)} must be {expected}, not {shown(value)}", fix)


def suggestion(name: str, known: list[str]) -> str:
    """What may have been meant by ``name``, or what there is.

    >>> suggestion("runafter", ["name", "runAfter"]), suggestion("zzz", ["b", "a"])
    ("did you mean 'runAfter'?", 'there are: a, b')
    """
    folded = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


def place(path: Path) -> str:
    """The nearest name on the way, with the indices behind it.

    >>> place(("spec", "steps", 0)), place(("spec",)), place(())
    ('steps[0]', 'spec', 'the document')
    """
    indices = ""
    for part in reversed(path):
        if isinstance(part, str):
            return part + indices
        indices = f"[{part}]{indices}"
    return "the document" + indices


def shown(value: Any) -> str:
    """A value in an error message: short, and with its type.

    >>> shown(5), shown(["a"]), shown(None), shown("x" * 99)[:12]
    ('the number 5', 'a list', 'nothing', "'xxxxxxxxxxx")
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 40 else value[:39] + "…")
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__}"
