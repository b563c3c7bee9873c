"""Values as a learner reads them."""

from __future__ import annotations

import json
from typing import Final

LENGTH: Final = 600
BYTES: Final = 24
"""As many bytes of a longer value are shown: what is in a tar is mostly zeros."""


def shortened(value: object) -> str:
    """The value as Python spells it, modes in octal, its middle left out if it is long.

    >>> shortened([1, "a"])
    "[1, 'a']"
    >>> shortened([b"x" * 2048])
    "[b'xxxxxxxxxxxxxxxxxxxxxxxx'… (2,048 bytes)]"
    """
    return _cut(repr(_as_read(value)))


def shortened_json(value: object) -> str:
    """The value as JSON spells it, its middle left out if it is long.

    >>> shortened_json(["a", None])
    '["a", null]'
    """
    return _cut(json.dumps(value, ensure_ascii=False, default=repr))


class _ShortBytes:
    """Stands for bytes that are too long to be read."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def __repr__(self) -> str:
        return f"{self.raw[:BYTES]!r}… ({len(self.raw):,} bytes)"


class _Octal(int):
    """A mode, which people read in octal."""

    def __repr__(self) -> str:
        return f"0o{self:o}"


def _as_mode(value: object) -> object:
    return _Octal(value) if type(value) is int and value >= 0 else value


def _as_read(value: object) -> object:
    """The value with its long bytes cut and its modes in octal."""
    match value:
        case bytes() if len(value) > 2 * BYTES:
            return _ShortBytes(value)
        case list() | tuple():
            return type(value)(map(_as_read, value))
        case dict():
            return {
                name: _as_mode(each) if name == "mode" else _as_read(each) for name, each in value.items()
            }
    return value


def _cut(text: str) -> str:
    if len(text) <= LENGTH:
        return text
    half = LENGTH // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} more … {text[-half:]}"
