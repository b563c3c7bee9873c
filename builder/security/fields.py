"""Typed access to a manifest: null is unset, a wrong type is an error with file, line and path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from builder.errors import ManifestError
from builder.security.documents import Document, Mapping, Sequence, place_name, spelt

_TYPE_NAMES: Final[dict[type, str]] = {
    Mapping: "a mapping",
    Sequence: "a list",
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
}


class Fields:
    """A mapping of a document, with its path. Every getter returns None for what is unset or null.

    Raises ManifestError when a field has another type than the one asked for, as the API server does.
    """

    __slots__ = ("document", "path", "values")

    def __init__(self, values: Mapping, document: Document, path: tuple[str | int, ...] = ()) -> None:
        self.values = values
        self.document = document
        self.path = path

    @classmethod
    def of(cls, document: Document) -> Fields:
        """The fields at the top of a document."""
        if type(document.root) is not Mapping:
            raise ManifestError(
                f"a manifest is a mapping, not {_type_name(document.root)}",
                where=f"{document.name}:{document.line}",
            )
        return cls(document.root, document)

    def text(self, key: str) -> str | None:
        """A string."""
        value = self.values.get(key)
        if value is None or type(value) is str:
            return value
        raise self.wrong(key, "a string")

    def flag(self, key: str) -> bool | None:
        """A boolean."""
        value = self.values.get(key)
        if value is None or type(value) is bool:
            return value
        raise self.wrong(key, "a boolean")

    def number(self, key: str) -> int | None:
        """An integer."""
        value = self.values.get(key)
        if value is None or type(value) is int:
            return value
        raise self.wrong(key, "an integer")

    def fields(self, key: str) -> Fields | None:
        """A mapping."""
        value = self.values.get(key)
        if value is None:
            return None
        if type(value) is not Mapping:
            raise self.wrong(key, "a mapping")
        return Fields(value, self.document, (*self.path, key))

    def items(self, key: str) -> Iterator[Fields]:
        """The mappings of a list; none if it is unset."""
        value = self.values.get(key)
        if value is None:
            return
        if type(value) is not Sequence:
            raise self.wrong(key, "a list")
        for index, item in enumerate(value):
            path = (*self.path, key, index)
            if type(item) is not Mapping:
                raise _wrong(self.document, value.lines[index], path, "a mapping", item)
            yield Fields(item, self.document, path)

    def texts(self, key: str) -> tuple[str, ...]:
        """The strings of a list; none if it is unset."""
        return self._scalars(key, str, "a string")

    def numbers(self, key: str) -> tuple[int, ...]:
        """The integers of a list; none if it is unset."""
        return self._scalars(key, int, "an integer")

    def _scalars(self, key: str, kind: type, wanted: str) -> tuple[Any, ...]:
        value = self.values.get(key)
        if value is None:
            return ()
        if type(value) is not Sequence:
            raise self.wrong(key, "a list")
        for index, item in enumerate(value):
            if type(item) is not kind:
                raise _wrong(self.document, value.lines[index], (*self.path, key, index), wanted, item)
        return tuple(value)

    def string_map(self, key: str) -> dict[str, str]:
        """A mapping of strings, such as annotations; empty if it is unset."""
        found = self.fields(key)
        return {} if found is None else {name: found.text(name) or "" for name in found.values}

    def wrong(self, key: str, wanted: str) -> ManifestError:
        """The error of a field that has another type than ``wanted``."""
        return _wrong(self.document, self.line(key), (*self.path, key), wanted, self.values.get(key))

    def error(self, what: str, key: str | None = None, *, fix: str | None = None) -> ManifestError:
        """An error about the field ``key``, or about this mapping."""
        path = self.path if key is None else (*self.path, key)
        return ManifestError(what, where=place_name(self.document.name, self.line(key), spelt(path)), fix=fix)

    def line(self, key: str | None = None) -> int:
        """The line of the field, or of this mapping where the field is unset."""
        return self.values.line if key is None else self.values.lines.get(key, self.values.line)

    def spelt(self, key: str | None = None) -> str:
        """The path of the field ``key``, or of this mapping, as kubectl spells it."""
        return spelt(self.path if key is None else (*self.path, key))


def line_of(document: Document, path: tuple[str | int, ...]) -> int:
    """The line of a path; of the last part of it that was written, where the rest is unset."""
    value, line = document.root, document.line
    try:
        for step in path:
            line, value = value.lines[step], value[step]
    except (AttributeError, LookupError, TypeError):
        pass  # from here on nothing was written
    return line


def _type_name(value: object) -> str:
    return _TYPE_NAMES.get(type(value), "nothing")


def _wrong(
    document: Document, line: int, path: tuple[str | int, ...], wanted: str, value: object
) -> ManifestError:
    return ManifestError(
        f"must be {wanted}, and is {_type_name(value)}", where=place_name(document.name, line, spelt(path))
    )
