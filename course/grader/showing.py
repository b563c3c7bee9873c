"""Values as a learner reads them."""

from __future__ import annotations

import json
from typing import Final

LENGTH: Final = 600


def shortened(value: object) -> str:
    """The value as Python spells it, its middle left out if it is long.

    >>> shortened([1, "a"])
    "[1, 'a']"
    """
    return _cut(repr(value))


def shortened_json(value: object) -> str:
    """The value as JSON spells it, its middle left out if it is long.

    >>> shortened_json(["a", None])
    '["a", null]'
    """
    return _cut(json.dumps(value, ensure_ascii=False, default=repr))


def _cut(text: str) -> str:
    if len(text) <= LENGTH:
        return text
    half = LENGTH // 2
    return f"{text[:half]} … {len(text) - 2 * half:,} more … {text[-half:]}"
