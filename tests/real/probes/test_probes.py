"""Plain Python inside ``learner(union)`` does what it does on an overlay mount, but for named exceptions."""

from __future__ import annotations

import pytest
from ordinary.compare import Comparison, compare, lines
from ordinary.reasons import REASONS

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def found() -> Comparison:
    return compare(("kernel", "model"))


def test_every_difference_from_the_kernel_has_its_reason(found: Comparison) -> None:
    kernel, model = found.outcomes["kernel"], found.outcomes["model"]

    differing = [
        (probe.name, kernel[probe.name], model.get(probe.name))
        for probe in found.differing("model")
        if probe.name not in REASONS
    ]

    assert differing == []


def test_no_reason_is_kept_for_what_does_not_differ(found: Comparison) -> None:
    assert set(REASONS) == {probe.name for probe in found.differing("model")}


def test_at_least_29_of_30_probes_are_equal(found: Comparison) -> None:
    assert len(found.table) >= 150
    assert found.equal("model") / len(found.table) >= 29 / 30


def test_the_section_of_the_docs_lists_all_differences(found: Comparison) -> None:
    with_vanilla = Comparison(found.table, {**found.outcomes, "vanilla": found.outcomes["model"]})

    text = "\n".join(lines(with_vanilla))

    assert f"**{found.equal('model')} of {len(found.table)} equal**" in text
    assert all(f"- `{name}`: " in text for name in REASONS)
    assert "not explained" not in text
