"""Arguments as ``os`` takes them: what is a path, what is a time, and what it says about everything else."""

from __future__ import annotations

import math
import operator
import os
import sys
from collections.abc import Callable
from typing import SupportsIndex, TypeVar, cast

AnswerT = TypeVar("AnswerT")


def spelt(verb: str, path: object, argument: str = "path") -> str | bytes:
    """The path as str or bytes; TypeError as ``os`` words it."""
    found = _path(verb, path, argument)
    if found is None:
        raise _wrong(verb, path, argument, ["string", "bytes", "os.PathLike"])
    return found


def spelt_or_number(verb: str, path: object, *, none: bool = False) -> str | bytes | int:
    """The path as str or bytes, or the descriptor as int; TypeError as ``os`` words it."""
    found = _path(verb, path, "path")
    if found is not None:
        return found
    if isinstance(path, SupportsIndex):
        return operator.index(path)
    raise _wrong(verb, path, "path", ["string", "bytes", "os.PathLike", "integer"] + ["None"] * none)


def _path(verb: str, path: object, argument: str) -> str | bytes | None:
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    return _without_nul(verb, path, argument) if isinstance(path, str | bytes) else None


def _wrong(verb: str, path: object, argument: str, kinds: list[str]) -> TypeError:
    told = f"{', '.join(kinds[:-1])} or {kinds[-1]}"
    return TypeError(f"{verb}: {argument} should be {told}, not {type(path).__name__}")


def _without_nul(verb: str, path: str | bytes, argument: str) -> str | bytes:
    if not (b"\0" in path if isinstance(path, bytes) else "\0" in path):
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


def nanoseconds(times: object, ns: object) -> tuple[int, int] | None:
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


def _seconds(time: object) -> int:
    if not isinstance(time, float):
        return operator.index(cast("SupportsIndex", time)) * 10**9  # a TypeError as os words it
    if math.isnan(time):
        raise ValueError("Invalid value NaN (not a number)")
    whole = math.floor(time)
    return whole * 10**9 + math.floor((time - whole) * 1e9)
