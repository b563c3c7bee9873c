"""Plain Python inside ``learner(union)`` does what it does on an overlay mount, but for named exceptions."""

from __future__ import annotations

import pytest
from ordinary.compare import Comparison, compare, lines
from ordinary.reasons import REASONS

pytestmark = pytest.mark.kernel


def test_what_differs_from_the_kernel_is_what_the_docs_give_a_reason_for() -> None:
    """One test, because its comparison takes seconds and workers share nothing."""
    found = compare(("kernel", "model"))
    kernel, model = found.outcomes["kernel"], found.outcomes["model"]

    differing = {
        probe.name: (kernel[probe.name], model.get(probe.name)) for probe in found.differing("model")
    }

    assert {name: both for name, both in differing.items() if name not in REASONS} == {}
    assert set(REASONS) == set(differing)  # no reason is kept for what does not differ
    assert len(found.table) >= 150
    assert found.equal("model") / len(found.table) >= 29 / 30
    text = "\n".join(lines(Comparison(found.table, {**found.outcomes, "vanilla": model})))
    assert all(f"- `{name}`: " in text for name in REASONS)
    assert "not explained" not in text
