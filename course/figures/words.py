"""The words of a picture, in the language that its spec names: "en" unless told otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from course.catalogue import Catalogue


@cache
def _catalogue(language: str) -> Catalogue:
    return Catalogue.read(language)


def words(spec: Mapping[str, Any]) -> Catalogue:
    """The catalogue of ``spec``'s language; the words of pictures stand below ``figures``."""
    return _catalogue(spec.get("language", "en"))
