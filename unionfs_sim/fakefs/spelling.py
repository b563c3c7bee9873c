"""Arguments as ``os`` takes them: what is a path, what is a time, and what it says about everything else."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

AnswerT = TypeVar("AnswerT")


def spelt(verb: str, path: Any, argument: str = "path", *, number: bool = False, none: bool = False) -> Any:
    """The path as str or bytes, or (if ``number``) the descriptor as int; TypeError as ``os`` words it."""
    if isinstance(path, str | bytes):
        return _without_nul(verb, path, argument)
    if number and not isinstance(path, str) and hasattr(type(path), "__index__"):
        return operator.index(path)
    if hasattr(type(path), "__fspath__"):
        return _without_nul(verb, os.fspath(path), argument)
    kinds = ["string", "bytes", "os.PathLike"] + ["integer"] * number + ["None"] * none
    told = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    raise TypeError(f"{verb}: {argument} should be {told}, not {type(path).__name__}")


def _without_nul(verb: str, path: Any, argument: str) -> Any:
    if (b"\0" if isinstance(path, bytes) else "\0") not in path:
        return path
    if sys.version_info >= (3, 13):
        raise ValueError(f"{verb}: embedded null character in {argument}")
    raise ValueError("embedded null byte")


def named(name: object, call: Callable[[], AnswerT]) -> AnswerT:
    """What a call returns; its OSError tells ``name`` as what it was called with."""
    try:
        return call()
    except OSError as error:
        error.filename = name
        raise


def nameless(call: Callable[[], AnswerT]) -> AnswerT:
    """What a call returns; its OSError tells no name (mknod and utime do not, in ``os``)."""
    try:
        return call()
    except OSError as error:
        raise OSError(error.errno, error.strerror) from None


def nanoseconds(times: Any, ns: Any) -> tuple[int, int] | None:
    """(atime, mtime) of ``os.utime``'s arguments, rounded down as there; None for now."""
    if times is not None and ns is not None:
        raise ValueError("utime: you may specify either 'times' or 'ns' but not both")
    if ns is not None:
        if not isinstance(ns, tuple) or len(ns) != 2:
            raise TypeError("utime: 'ns' must be a tuple of two ints")
        return operator.index(ns[0]), operator.index(ns[1])
    if times is None:
        return None
    if not isinstance(times, tuple) or len(times) != 2:
        raise TypeError("utime: 'times' must be either a tuple of two ints or None")
    return _seconds(times[0]), _seconds(times[1])


def _seconds(time: Any) -> int:
    if not isinstance(time, float):
        return operator.index(time) * 10**9
    if math.isnan(time):
        raise ValueError("Invalid value NaN (not a number)")
    whole = math.floor(time)
    return whole * 10**9 + math.floor((time - whole) * 1e9)
