"""Params and results: what is declared, what a value is, and whether the two fit (Tekton, docs/tasks.md)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from builder.security.tekton import names
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path
from builder.security.tekton.reading import Manifest, items, mapping, text
from builder.security.tekton.schema import shown
from builder.security.tekton.variables import variables


class Type(enum.Enum):
    """What a param or result holds."""

    STRING = "string"
    ARRAY = "array"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Declared:
    """A param or result that exists. ``keys``: of an object; ``optional``: a param with a default."""

    name: str
    type: Type = Type.STRING
    keys: frozenset[str] = frozenset()
    optional: bool = False
    values: tuple[str, ...] = ()


def type_of(value: Any) -> Type:
    """What Tekton takes a value for: lists of strings, mappings to strings, and everything else as a string.

    >>> type_of(["a"]).value, type_of({"k": "v"}).value, type_of([1]).value, type_of(5).value
    ('array', 'object', 'string', 'string')
    """
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return Type.ARRAY
    if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
        return Type.OBJECT
    return Type.STRING


def declared(holder: Manifest, key: str = "params") -> dict[str, Declared]:
    """The params (or results) that ``holder`` declares, by name."""
    found: dict[str, Declared] = {}
    for _, spec in items(holder, key):
        name = text(spec, "name")
        if name and name not in found:
            found[name] = _declared(name, spec)
    return found


def provided(holder: Manifest, key: str = "params") -> dict[str, Declared]:
    """The params that ``holder`` passes, as if they were declared: what propagates to what stands inside."""
    return {
        name: Declared(
            name, type_of(value), frozenset(value) if isinstance(value, dict) else frozenset(), optional=True
        )
        for name, value in passed(holder, key).items()
    }


def passed(holder: Manifest, key: str = "params") -> dict[str, Any]:
    """The values that ``holder`` passes, by name."""
    found: dict[str, Any] = {}
    for _, param in items(holder, key):
        found.setdefault(text(param, "name"), param.get("value"))
    return found


def _declared(name: str, spec: Manifest) -> Declared:
    properties = mapping(spec, "properties")
    default = spec.get("default")
    written = text(spec, "type")
    if written in {each.value for each in Type}:
        type_ = Type(written)
    elif properties:
        type_ = Type.OBJECT
    else:
        type_ = Type.STRING if default is None else type_of(default)
    enum_ = spec.get("enum")
    values = tuple(each for each in enum_ if isinstance(each, str)) if isinstance(enum_, list) else ()
    return Declared(name, type_, frozenset(properties), default is not None, values)


def declarations(holder: Manifest, features: Features, *, strict: bool = True) -> list[Finding]:
    """What is wrong with the params that ``holder`` declares. ``strict``: an object must list its keys."""
    findings: list[Finding] = []
    seen: set[str] = set()
    for index, spec in items(holder, "params"):
        path: Path = ("params", index)
        name = text(spec, "name")
        if name in seen:
            findings.append(
                Finding("duplicate-param", (*path, "name"), f"the param {name!r} is declared before")
            )
        seen.add(name)
        findings += _type(spec, path)
        type_ = _declared(name, spec).type
        findings += _spelling(name, type_, mapping(spec, "properties"), path)
        findings += _default(spec, type_, path)
        findings += _properties(spec, type_, path, strict=strict)
        if "enum" in spec:
            findings += features.lacking(Features.ALPHA, "enum of a param", (*path, "enum"))
            findings += _enum(spec, type_, path)
        if type_ is Type.OBJECT:
            findings += features.lacking(Features.BETA, "a param of type object", path)
    return findings


def _type(spec: Manifest, path: Path) -> list[Finding]:
    written = spec.get("type")
    if not isinstance(written, str) or written in {each.value for each in Type}:
        return []
    return [Finding("param-type", (*path, "type"), f"type is {written!r}", "string, array or object")]


def _spelling(name: str, type_: Type, properties: Manifest, path: Path) -> list[Finding]:
    if type_ is not Type.OBJECT:
        if not name or names.is_param(name):
            return []
        fix = "letters, digits, - _ and dots, a letter or _ first"
        return [Finding("param-name", (*path, "name"), f"no param can be called {name!r}", fix)]
    fix = "letters, digits, - and _, a letter or _ first; no dots"
    wrong = [] if not name or names.is_object(name) else [((*path, "name"), name)]
    wrong += [((*path, "properties", key), key) for key in properties if not names.is_object(key)]
    return [
        Finding("param-name", place, f"no object or key can be called {each!r}", fix) for place, each in wrong
    ]


def _default(spec: Manifest, type_: Type, path: Path) -> list[Finding]:
    default = spec.get("default")
    if default is None:
        return []
    found = type_of(default)
    if found is not type_:
        what = f"the default is {_an(found)} and the param {_an(type_)}"
        return [Finding("default-type", (*path, "default"), what)]
    return _not_a_string(default, (*path, "default"))


def _properties(spec: Manifest, type_: Type, path: Path, *, strict: bool) -> list[Finding]:
    findings = []
    for key, property_ in mapping(spec, "properties").items():
        written = text(property_, "type") if isinstance(property_, dict) else ""
        if written not in ("", "string"):
            place = (*path, "properties", key, "type")
            findings.append(
                Finding("property-type", place, f"the key {key!r} is {written!r}", "only string is allowed")
            )
    if strict and type_ is Type.OBJECT and spec.get("properties") is None:
        what = f"the object {text(spec, 'name')!r} lists no properties"
        findings.append(Finding("object-properties", path, what, "properties: {KEY: {type: string}}"))
    return findings


def _enum(spec: Manifest, type_: Type, path: Path) -> list[Finding]:
    values = [each for each in spec.get("enum") or () if isinstance(each, str)]
    if type_ is not Type.STRING:
        return [Finding("param-enum", (*path, "enum"), "only a param of type string can have an enum")]
    findings = [
        Finding("param-enum", (*path, "enum", index), f"the value {value!r} stands here twice")
        for index, value in enumerate(values)
        if value in values[:index]
    ]
    default = spec.get("default")
    if isinstance(default, str) and values and default not in values:
        findings.append(
            Finding("param-enum", (*path, "default"), f"the default {default!r} is none of the enum")
        )
    return findings


def result_declarations(holder: Manifest, features: Features, *, of_step: bool = False) -> list[Finding]:
    """What is wrong with the ``results`` that a task or step declares."""
    findings: list[Finding] = []
    seen: set[str] = set()
    for index, spec in items(holder, "results"):
        path: Path = ("results", index)
        name = text(spec, "name")
        if name in seen:
            findings.append(
                Finding("duplicate-result", (*path, "name"), f"the result {name!r} is declared before")
            )
        seen.add(name)
        if name and not names.is_result(name):
            fix = "letters, digits, - _ and dots, a letter or digit first and last"
            findings.append(Finding("result-name", (*path, "name"), f"no result can be called {name!r}", fix))
        findings += _type(spec, path)
        type_ = _declared(name, spec).type
        findings += _properties(spec, type_, path, strict=True)
        if spec.get("default") is not None and not of_step:
            findings += features.lacking(Features.ALPHA, "the default of a result", (*path, "default"))
            findings += _default(spec, type_, path)
    return findings


def values(holder: Manifest, features: Features, key: str = "params") -> list[Finding]:
    """What is wrong with the params that ``holder`` passes, whatever takes them."""
    findings: list[Finding] = []
    seen: set[str] = set()
    for index, param in items(holder, key):
        path: Path = (key, index)
        name = text(param, "name")
        if name in seen:
            findings.append(
                Finding("duplicate-param", (*path, "name"), f"the param {name!r} is passed before")
            )
        seen.add(name)
        if "valueFrom" in param:
            findings += features.lacking(Features.ALPHA, "valueFrom of a param", (*path, "valueFrom"))
            if "value" in param:
                findings.append(Finding("param-value", path, f"{name!r} has both value and valueFrom"))
        elif "value" not in param:
            findings.append(Finding("param-value", path, f"the param {name!r} has no value"))
        findings += _not_a_string(param.get("value"), (*path, "value"))
    return findings


def _not_a_string(value: Any, path: Path) -> list[Finding]:
    """Scalars and lists that Tekton turns into the text of their JSON."""
    if value is None or isinstance(value, str) or type_of(value) is not Type.STRING:
        return []
    spelt = f'"{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    if isinstance(value, bool):
        spelt = '"true"' if value else '"false"'
    what = (
        f"{shown(value)} is taken as a string"
        if spelt
        else f"{shown(value)} with other than strings is taken as a string"
    )
    return [
        Finding("value-not-string", path, what, f"write {spelt}" if spelt else "write every item as a string")
    ]


def fitting(
    wanted: Mapping[str, Declared],
    given: Manifest,
    whole: Mapping[str, Type],
    *,
    of: str,
    key: str = "params",
    also: Iterable[str] = (),
) -> list[Finding]:
    """What is wrong with the params that ``given`` passes to what declares ``wanted``.

    ``whole``: the types of variables that may stand alone as a value; ``also``: names that come otherwise.
    """
    findings: list[Finding] = []
    for index, param in items(given, key):
        name, value, path = text(param, "name"), param.get("value"), (key, index, "value")
        spec = wanted.get(name)
        if spec is None or value is None:
            continue
        found = type_of(value)
        if isinstance(value, str):
            if value not in whole and any(each.alone and each.is_whole for each in variables(value)):
                continue  # all of something whose type is not known here
            found = whole.get(value, Type.STRING)
        if found is not spec.type:
            what = f"{of} declares the param {name!r} as {_an(spec.type)}, and gets {_an(found)}"
            findings.append(Finding("param-mismatch", path, what))
        elif spec.type is Type.OBJECT and isinstance(value, dict) and not spec.optional:
            missing = sorted(spec.keys - value.keys())
            if missing:
                what = f"the object {name!r} lacks {', '.join(missing)}"
                findings.append(Finding("object-keys", path, what))
        elif spec.values and isinstance(value, str) and "$(" not in value and value not in spec.values:
            what = f"{of} allows for {name!r} only {', '.join(spec.values)}"
            findings.append(Finding("param-enum", path, what))
    there = set(passed(given, key)) | set(also)
    lacking = [name for name, spec in wanted.items() if not spec.optional and name not in there]
    for name in lacking:
        what = f"{of} needs the param {name!r}, and it is not passed"
        findings.append(Finding("missing-param", (), what, f"params: [{{name: {name}, value: …}}]"))
    return findings


def _an(type_: Type) -> str:
    return {"string": "a string", "array": "an array", "object": "an object"}[type_.value]
