"""Which published bugs a version of a component still has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from builder.errors import BuildError
from builder.security.tables import Advisory, advisories

_VERSION: Final = re.compile(
    r"v?(\d{1,9}(?:\.\d{1,9}){0,3})(?:-(rc|beta|alpha)\.?(\d{1,9})|-(\d{1,9})(?:[.-].*)?)?"
)
_BEFORE_RELEASE: Final = {"alpha": -3, "beta": -2, "rc": -1}

Version = tuple[tuple[int, int, int, int], int, int]
"""Numbers, then 0 or what comes before a release, then the number of that or a distribution's own."""


def version_from(text: str) -> Version:
    """A version that can be compared; BuildError if the text is none.

    >>> version_from("1.4.0-rc.3") < version_from("v1.4") < version_from("1.4.0-7")
    True
    """
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise BuildError(f"{text!r} is no version", fix="write numbers, such as 1.2.8 or 1.4.0-rc.3")
    numbers = [int(part) for part in found[1].split(".")]
    first, second, third, fourth = (*numbers, 0, 0, 0)[:4]
    before = _BEFORE_RELEASE[found[2]] if found[2] else 0
    return (first, second, third, fourth), before, int(found[3] or found[4] or 0)


def is_affected(advisory: Advisory, version: Version) -> bool:
    """Whether ``version`` of the advisory's component has the bug: its own branch's fix counts first."""
    if advisory.since and version < version_from(advisory.since):
        return False
    fixes = sorted(version_from(text) for text in advisory.fixed_in)
    for fix in fixes:
        if fix[0][:2] == version[0][:2]:
            return version < fix
    return version < fixes[-1]


def components() -> tuple[str, ...]:
    """The components of which bugs are known, by name."""
    return tuple(sorted({advisory.component for advisory in advisories().values()}))


def versions_from(words: Sequence[str]) -> dict[str, Version]:
    """``component=version`` pairs, several in one word divided by commas.

    Raises BuildError for an unknown component and for what is no version.
    """
    found: dict[str, Version] = {}
    for pair in (part for word in words for part in word.split(",") if part.strip()):
        name, equals, version = pair.strip().partition("=")
        if name not in components() or not equals:
            raise BuildError(
                f"{pair!r} is not COMPONENT=VERSION", fix=f"the components are {', '.join(components())}"
            )
        found[name] = version_from(version)
    return found


def bugs_of(versions: Mapping[str, Version]) -> frozenset[str]:
    """The facts of the advisories that hold for these versions of components."""
    return frozenset(
        advisory.fact
        for advisory in advisories().values()
        if advisory.component in versions and is_affected(advisory, versions[advisory.component])
    )


def unknown_to(versions: Mapping[str, Version]) -> frozenset[str]:
    """The facts of the advisories about which these versions say nothing."""
    return frozenset(
        advisory.fact for advisory in advisories().values() if advisory.component not in versions
    )
