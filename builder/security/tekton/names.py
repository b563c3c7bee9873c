"""How names must be spelt (Kubernetes, "Object Names and IDs"; Tekton's validation of params and results)."""

from __future__ import annotations

import re
from typing import Final

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_QUALIFIED: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PARAM: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_OBJECT: Final = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
_RESULT: Final = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_URL: Final = re.compile(r"[\w-]+://*")
_DURATION: Final = re.compile(r"(-)?(0|([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+")

LONGEST: Final = 63
"""Of a label, and of the name of anything in the group tekton.dev."""


def is_label(name: str) -> bool:
    """Whether ``name`` is a DNS label (RFC 1123): lower case, digits and dashes, at most 63.

    >>> is_label("build-image"), is_label("Build"), is_label("a" * 64)
    (True, False, False)
    """
    return len(name) <= LONGEST and _LABEL.fullmatch(name) is not None


def is_subdomain(name: str) -> bool:
    """Whether ``name`` is made of labels with dots between them.

    >>> is_subdomain("build.v2"), is_subdomain("build_v2")
    (True, False)
    """
    return len(name) <= 253 and all(_LABEL.fullmatch(part) for part in name.split("."))


def is_qualified(name: str) -> bool:
    """Whether ``name`` is a name with at most one prefix: ``example.com/build``."""
    prefix, slash, last = name.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(last) <= LONGEST and _QUALIFIED.fullmatch(last) is not None


def is_param(name: str) -> bool:
    """Whether a param of type string or array may be called ``name``."""
    return _PARAM.fullmatch(name) is not None


def is_object(name: str) -> bool:
    """Whether a param of type object, or a key of one, may be called ``name``: no dots."""
    return _OBJECT.fullmatch(name) is not None


def is_result(name: str) -> bool:
    """Whether a result may be called ``name``."""
    return _RESULT.fullmatch(name) is not None


def is_url(name: str) -> bool:
    """Whether a reference's ``name`` looks like an address, as the concise resolver syntax has it."""
    return _URL.search(name) is not None


def is_duration(value: str) -> bool:
    """Whether Go's ParseDuration takes ``value``.

    >>> is_duration("1h30m"), is_duration("0"), is_duration("90"), is_duration("1d")
    (True, True, False, False)
    """
    return value in ("0", "-0", "+0") or (_DURATION.fullmatch(value) is not None and not value.endswith("0"))
