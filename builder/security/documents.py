"""The documents of a YAML file as plain values that know their lines, however hostile the file is.

Scalars mean what they mean to ``kubectl``: its YAML library (sigs.k8s.io/yaml, from go-yaml version 2) has
the booleans of YAML 1.1 (``yes``, ``off``), knows no base 60 and no dates, and refuses a key written twice.
Nothing is ever constructed from a tag, and aliases count for what they expand to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from builder.errors import ManifestError


class Mapping(dict[str, Any]):
    """A mapping of the file. ``lines``: key → the line (from 1) on which it stands."""

    __slots__ = ("line", "lines")
    line: int
    lines: dict[str, int]


class Sequence(list[Any]):
    """A list of the file. ``lines``: the line (from 1) of each item."""

    __slots__ = ("line", "lines")
    line: int
    lines: list[int]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a file is read. ``nodes``: values of one file, aliases expanded."""

    file_bytes: int = 8 * 1024 * 1024
    nodes: int = 500_000
    depth: int = 100


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Document:
    """One document. ``root``: a Mapping, a Sequence or a scalar; ``line``: where it starts, from 1."""

    name: str
    root: Any
    line: int


def read(raw: bytes, name: str, limits: Limits = LIMITS) -> tuple[Document, ...]:
    """The documents of a YAML or JSON file, without the empty ones.

    Raises ManifestError, naming file, line and field, for everything that is not a plain tree of values.

    >>> [found.root for found in read(b"a: [1, yes]\\n---\\nb: 07\\n", "x.yaml")]
    [{'a': [1, True]}, {'b': 7}]
    """
    if len(raw) > limits.file_bytes:
        raise ManifestError(
            f"the file has more than {limits.file_bytes // 1024**2} MiB",
            where=name,
            fix="split it at a line ---",
        )
    return tuple(_documents(raw, name, limits))


class _Open:
    """A collection that has not ended: what it is, and what comes next."""

    __slots__ = ("anchor", "before", "key", "key_line", "merged", "value")

    def __init__(self, value: Mapping | Sequence, anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key: str | None = None
        self.key_line = 0
        self.merged: list[Mapping] | None = None


def _documents(raw: bytes, name: str, limits: Limits) -> Iterator[Document]:
    import yaml

    try:
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)(raw)
        events = iter(loader.get_event, None)  # half the cost of yaml.parse, which asks before it takes
        yield from _Composer(yaml, name, limits).compose(events)
    except yaml.YAMLError as error:
        raise _explained(error, raw, name) from None


class _Composer:
    """Events → values, by a stack of its own: nesting is counted, never recursed into."""

    def __init__(self, yaml: Any, name: str, limits: Limits) -> None:
        self._yaml = yaml
        self._name = name
        self._limits = limits
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._nodes = 0

    def compose(self, events: Iterator[Any]) -> Iterator[Document]:
        yaml = self._yaml
        scalar_event, alias_event = yaml.ScalarEvent, yaml.AliasEvent
        mapping_start, sequence_start = yaml.MappingStartEvent, yaml.SequenceStartEvent
        ends = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        stack = self._stack
        for event in events:
            kind = type(event)
            if kind is scalar_event:
                line = event.start_mark.line + 1
                place = stack[-1] if stack else None
                if place is not None and type(place.value) is Mapping and place.key is None:
                    self._count(line)
                    self._open_key(place, event, line)
                    continue
                value: Any = event.value
                if event.tag is not None:
                    value = self._tagged(event, line)
                elif event.implicit[0]:
                    value = plain(value)
                self._count(line)
                if event.anchor is not None:
                    self._anchors[event.anchor] = (value, 1)
            elif kind is mapping_start or kind is sequence_start:
                self._enter(event, Mapping() if kind is mapping_start else Sequence())
                continue
            elif kind in ends:
                ended = stack.pop()
                value = ended.value
                line = value.line
                if ended.merged is not None and type(value) is Mapping:
                    _merge(value, ended.merged)
                if ended.anchor is not None:
                    self._anchors[ended.anchor] = (value, self._nodes - ended.before)
            elif kind is alias_event:
                line = event.start_mark.line + 1
                value = self._alias(event.anchor, line)
            elif kind is yaml.DocumentStartEvent:
                self._anchors.clear()
                continue
            else:
                continue
            if not stack:
                if value is not None:
                    yield Document(self._name, value, line)
                continue
            self._put(stack[-1], value, line)

    def _enter(self, event: Any, value: Mapping | Sequence) -> None:
        line = event.start_mark.line + 1
        value.line = line
        value.lines = {} if type(value) is Mapping else []
        place = self._stack[-1] if self._stack else None
        if place is not None and type(place.value) is Mapping and place.key is None:
            raise self._error("a key must be a scalar", line)
        if event.tag is not None and event.tag not in _COLLECTION_TAGS:
            raise self._error(f"the tag {event.tag!r} is refused", line, fix="write plain YAML without tags")
        if len(self._stack) == self._limits.depth:
            # without the path, which nobody would read to its end
            raise ManifestError(f"nested more than {self._limits.depth} deep", where=f"{self._name}:{line}")
        if event.anchor is not None:
            self._anchors[event.anchor] = (_UNFINISHED, 0)
        before = self._nodes
        self._count(line)
        self._stack.append(_Open(value, event.anchor, before))

    def _open_key(self, place: _Open, event: Any, line: int) -> None:
        text = event.value
        if event.tag is None and event.implicit[0]:
            if text == "<<":
                place.merged = place.merged or []
            found = plain(text)
            if found is None:
                raise self._error("a key must not be empty or null", line)
            if type(found) is bool or type(found) is int:
                text = str(found).lower()
        elif event.tag is not None and event.tag != _STRING_TAG:
            raise self._error(f"a key must be a string, not {event.tag!r}", line)
        if event.anchor is not None:
            self._anchors[event.anchor] = (text, 1)
        if text in place.value:
            first = place.value.lines[text]
            raise self._error(
                f"the key {text!r} was given before, in line {first}", line, fix="keep one of the two"
            )
        place.key, place.key_line = text, line

    def _put(self, place: _Open, value: Any, line: int) -> None:
        holder = place.value
        if type(holder) is Sequence:
            holder.append(value)
            holder.lines.append(line)
            return
        assert type(holder) is Mapping and place.key is not None
        if place.key == "<<" and place.merged is not None:
            sources = value if isinstance(value, list) else [value]
            for source in sources:
                if type(source) is not Mapping:
                    raise self._error("<<: merges mappings only", line)
                place.merged.append(source)
        else:
            holder[place.key] = value
            holder.lines[place.key] = place.key_line
        place.key = None

    def _alias(self, anchor: str, line: int) -> Any:
        if anchor not in self._anchors:
            raise self._error(f"no anchor &{anchor} stands before *{anchor}", line)
        value, size = self._anchors[anchor]
        if value is _UNFINISHED:
            raise self._error(f"*{anchor} stands inside what it names", line)
        self._count(line, max(size, 1))
        place = self._stack[-1] if self._stack else None
        if place is not None and type(place.value) is Mapping and place.key is None:
            raise self._error("a key must be a scalar, not an alias", line)
        return value

    def _count(self, line: int, nodes: int = 1) -> None:
        self._nodes += nodes
        if self._nodes > self._limits.nodes:
            raise self._error(
                f"more than {self._limits.nodes} values, with every alias counted as what it stands for", line
            )

    def _tagged(self, event: Any, line: int) -> Any:
        """A scalar with a tag of YAML's own; an error for any other."""
        text, tag = event.value, event.tag
        if tag in (_STRING_TAG, "!"):
            return text
        wanted = _SCALAR_TAGS.get(tag)
        if wanted is None:
            raise self._error(f"the tag {tag!r} is refused", line, fix="write plain YAML without tags")
        found = plain(text)
        if not isinstance(found, wanted):
            raise self._error(f"{text!r} is not what its tag {tag!r} says", line)
        return found

    def _error(self, what: str, line: int, *, fix: str | None = None) -> ManifestError:
        return ManifestError(what, where=place_name(self._name, line, self._path()), fix=fix)

    def _path(self) -> str:
        steps: list[str | int] = []
        for each in self._stack:
            if type(each.value) is Sequence:
                steps.append(len(each.value))
            elif each.key is not None:
                steps.append(each.key)
        return spelt(steps)


_UNFINISHED: Final = object()
_STRING_TAG: Final = "tag:yaml.org,2002:str"
_COLLECTION_TAGS: Final = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!"})
_SCALAR_TAGS: Final[dict[str, tuple[type, ...]]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}


def _merge(value: Mapping, sources: list[Mapping]) -> None:
    """Add what ``<<`` names, unless the mapping or an earlier source says it (yaml.org/type/merge)."""
    for source in sources:
        for key, item in source.items():
            if key not in value:
                value[key] = item
                value.lines[key] = source.lines[key]


_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_NUMERIC_START: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(
    r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", re.ASCII
)  # go-yaml version 2, resolve.go
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_SPECIAL: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)
_LONGEST_INTEGER: Final = 40


def plain(text: str) -> str | int | float | bool | None:
    """What an unquoted scalar means.

    >>> [plain(text) for text in ("on", "0x1f", "1e3", "12:30", "2001-01-01", "~")]
    [True, 31, 1000.0, '12:30', '2001-01-01', None]
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if len(text) <= _LONGEST_INTEGER and _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return text


def _integer(text: str) -> int | str:
    sign = -1 if text[0] == "-" else 1
    digits = text.lstrip("+-").replace("_", "")
    try:
        if digits[:2] in ("0x", "0b", "0o"):
            return sign * int(digits, 0)
        return sign * (int(digits, 8) if len(digits) > 1 and digits[0] == "0" else int(digits))
    except ValueError:  # nothing but underscores after the prefix
        return text


def spelt(steps: list[str | int] | tuple[str | int, ...]) -> str:
    """A field's path as kubectl spells it.

    >>> spelt(["spec", "containers", 0, "image"])
    'spec.containers[0].image'
    """
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            path += f".{step}" if path else step
        else:
            path += f"[{step!r}]"
    return path


def place_name(name: str, line: int, path: str) -> str:
    """``file:line: field``, or ``file:line`` where no field is meant."""
    return f"{name}:{line}: {path}" if path else f"{name}:{line}"


def _explained(error: Any, raw: bytes, name: str) -> ManifestError:
    """The parser's error with its line, and in words where its own do not help."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        position = getattr(error, "position", None)
        reason = getattr(error, "reason", None) or str(error).splitlines()[0]
        line = raw[: position or 0].count(b"\n") + 1
        return ManifestError(f"this is not text that YAML allows: {reason}", where=f"{name}:{line}")
    lines = raw.splitlines()
    written = lines[mark.line] if mark.line < len(lines) else b""
    indent = written[: len(written) - len(written.lstrip())]
    if b"\t" in indent or written[mark.column : mark.column + 1] == b"\t":
        return ManifestError(
            "a tab cannot indent YAML", where=f"{name}:{mark.line + 1}", fix="indent with spaces"
        )
    context = f" ({error.context})" if getattr(error, "context", None) else ""
    return ManifestError(f"not YAML: {error.problem}{context}", where=f"{name}:{mark.line + 1}")
