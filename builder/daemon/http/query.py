"""The query of a request: the words that docker's clients write for numbers, booleans, lists and filters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from builder.daemon.http.errors import BadRequest

_MAX_FIELDS: Final = 1000
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_FALSE: Final = frozenset(["", "0", "no", "false", "none"])
"""As moby reads them (``httputils.BoolValue``)."""

_NOTHING: Final = frozenset(["", "0", "null", "{}", "[]", "default", "false", "-1"])
"""What 20.10 sends for every option that was not given."""


class Query:
    """The parameters of one request, by name. Every reader names the parameter in its error."""

    def __init__(self, written: str) -> None:
        try:
            pairs = parse_qsl(
                written, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="surrogateescape"
            )
        except ValueError as error:
            raise BadRequest(f"the query cannot be read: {error}") from None
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, usual: str = "") -> str:
        """The first value, or ``usual``."""
        return self._values.get(name, [usual])[0]

    def texts(self, name: str) -> list[str]:
        """All values that are not empty, in their order."""
        return [value for value in self._values.get(name, []) if value]

    def flag(self, name: str, *, usual: bool = False) -> bool:
        """Whether the value means yes: ``1``, ``true``, ``True`` and whatever else is not a no."""
        return self.text(name).strip().lower() not in _FALSE if name in self._values else usual

    def number(self, name: str) -> int | None:
        """The value as a whole number; None if there is none. BadRequest if it is something else."""
        written = self.text(name)
        if not written:
            return None
        if _NUMBER.fullmatch(written) is None:
            raise BadRequest(f"{name}={written!r:.100} is not a whole number")
        return int(written)

    def table(self, name: str) -> dict[str, str | None]:
        """A JSON object of texts; empty if there is none."""
        found = self._json(name, {})
        if not isinstance(found, dict) or not all(
            value is None or isinstance(value, str) for value in found.values()
        ):
            raise BadRequest(f"{name} must be a JSON object of strings")
        return found

    def strings(self, name: str) -> list[str]:
        """A JSON list of texts; empty if there is none."""
        found = self._json(name, [])
        if not isinstance(found, list) or not all(isinstance(value, str) for value in found):
            raise BadRequest(f"{name} must be a JSON list of strings")
        return found

    def filters(self, known: Iterable[str]) -> Mapping[str, list[str]]:
        """``filters``: by name, in either of the two forms that clients write.

        BadRequest names a filter that is not ``known``.
        """
        found = self._json("filters", {})
        if not isinstance(found, dict):
            raise BadRequest("filters must be a JSON object")
        filters: dict[str, list[str]] = {}
        for name, values in found.items():
            if name not in known:
                raise BadRequest(f"invalid filter {name!r:.100}")
            if isinstance(values, dict):
                filters[name] = [value for value, wanted in values.items() if wanted]
            elif isinstance(values, list) and all(isinstance(value, str) for value in values):
                filters[name] = values
            else:
                raise BadRequest(f"the filter {name!r} must be a list of strings")
        return filters

    def refuse(self, options: Mapping[str, str]) -> None:
        """BadRequest for the first of ``options`` that was given: parameter → why it cannot be."""
        for name, why in options.items():
            if any(value.strip() not in _NOTHING for value in self._values.get(name, [])):
                raise BadRequest(f"{name}: {why}")

    def _json(self, name: str, usual: Any) -> Any:
        written = self.text(name)
        if not written:
            return usual
        try:
            found = json.loads(written)
        except (ValueError, RecursionError):
            raise BadRequest(f"{name} is not JSON") from None
        return usual if found is None else found
