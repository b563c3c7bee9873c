"""What a probe gave, as text that can be compared: a value, or an error with its errno, names and message."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any


def outcome_of(run: Callable[[], object]) -> str:
    """The value of a probe, or the error that ended it."""
    try:
        return repr(run())
    except Exception as error:  # whatever a probe raises is its outcome
        return told(error)


def told(error: BaseException) -> str:
    """An error as text: class, errno's name, both file names, and what it says of itself."""
    kind = type(error).__qualname__
    if not isinstance(error, OSError) or error.errno is None:
        return f"{kind}: {error}"
    number = errno.errorcode.get(error.errno, str(error.errno))
    return f"{kind}({number}, {error.filename!r}, {error.filename2!r}): {error}"


def failure(verb: Callable[..., object], *args: Any, **named: Any) -> str:
    """How a call fails that a probe expects to fail; ``fine`` if it does not."""
    try:
        verb(*args, **named)
    except Exception as error:  # as above
        return told(error)
    return "fine"
