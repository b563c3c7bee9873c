"""A command whose descriptor is closed fails or not, as dash 0.5.12 and GNU's programs do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Sh = Callable[..., tuple[int, str]]

STATUS = {
    "cat <&-": 1,
    "cat /bin/ls >&-": 1,
    "cat /nope 2>&-": 1,
    "echo a >&-": 1,
    "head <&-": 1,
    "tr a b <&-": 1,
    "read x <&-": 1,
    "sh <&-": 0,
    "true >&- 2>&- <&-": 0,
    "touch /tmp/y >&-": 0,
}
"""The command, and the status that dash printed for it."""


@pytest.mark.parametrize("command", STATUS)
def test_a_closed_descriptor_is_bad_for_whoever_asks_it(sh: Sh, command: str) -> None:
    status, printed = sh(f"({command}) 2>/dev/null; echo $?")

    assert (status, printed) == (0, f"{STATUS[command]}\n")
