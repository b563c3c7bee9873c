"""Which bugs a version has: a branch's own fix counts before the newest one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import BuildError
from builder.security.tables import advisories
from builder.security.versions import bugs_of, is_affected, unknown_to, version_from, versions_from


@pytest.mark.parametrize(
    ("name", "version", "affected"),
    [
        ("CVE-2025-31133", "1.1.15", True),
        ("CVE-2025-31133", "1.2.7", True),
        ("CVE-2025-31133", "1.2.8", False),
        ("CVE-2025-31133", "1.3.2", True),
        ("CVE-2025-31133", "v1.3.3", False),
        ("CVE-2025-31133", "1.4.0-rc.2", True),
        ("CVE-2025-31133", "1.4.0-rc.3", False),
        ("CVE-2025-31133", "1.4.0", False),
        ("CVE-2026-41579", "1.4.2", True),
        ("CVE-2026-41579", "1.5.0", False),
        ("CVE-2026-33747", "0.27", True),
        ("CVE-2026-33747", "0.28.1", False),
        ("GHSA-7236-3392-c5c6", "0.31.0", True),
        ("GHSA-7236-3392-c5c6", "0.31.1", False),
        ("CVE-2024-41110", "24.0.9", True),
        ("CVE-2024-41110", "25.0.6", False),
        ("CVE-2024-41110", "27.1.0", True),
        ("CVE-2026-34040", "29.3.0", True),
        ("CVE-2026-34040", "29.3.1", False),
        ("CVE-2026-41567", "28.5.2", True),
        ("CVE-2026-41567", "29.5.1", False),
        ("CVE-2026-28406", "1.25.3", False),
        ("CVE-2026-28406", "1.25.9", True),
        ("CVE-2026-28406", "1.25.10", False),
        ("CVE-2026-28406", "1.28.3", False),
        ("CVE-2023-0386", "5.10.200", False),
        ("CVE-2023-0386", "5.15.90", True),
        ("CVE-2023-0386", "6.1.9", False),
        ("CVE-2023-2640", "6.2.0-25-generic", True),
        ("CVE-2023-2640", "6.2.0-26", False),
    ],
)
def test_a_version_has_a_bug_until_its_branch_is_mended(name: str, version: str, affected: bool) -> None:
    assert is_affected(advisories()[name], version_from(version)) is affected


@given(st.sampled_from(sorted(advisories())))
def test_no_version_that_is_named_as_fixed_is_affected(name: str) -> None:
    advisory = advisories()[name]

    assert not any(is_affected(advisory, version_from(text)) for text in advisory.fixed_in)


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4)
)
def test_versions_are_ordered_by_their_numbers(left: list[int], right: list[int]) -> None:
    first, second = (version_from(".".join(map(str, parts))) for parts in (left, right))

    assert (first < second) == ((left + [0] * 4)[:4] < (right + [0] * 4)[:4])


def test_what_is_not_said_is_unknown() -> None:
    said = versions_from(["runc=1.2.7,buildkit=v0.31.1", "docker=29.5.1"])

    assert "cve_2025_31133" in bugs_of(said)
    assert not any(fact.startswith("ghsa") for fact in bugs_of(said))
    assert "cve_2026_28406" in unknown_to(said)
    assert "cve_2026_34040" not in unknown_to(said) | bugs_of(said)


@pytest.mark.parametrize("words", [["runc"], ["rnc=1.0"], ["runc=x"], ["runc=1.0,,=3"], ["runc="]])
def test_what_is_no_version_of_a_component_is_refused(words: list[str]) -> None:
    with pytest.raises(BuildError):
        versions_from(words)
