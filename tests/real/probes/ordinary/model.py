"""Probes inside ``learner(union)``."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ordinary.outcome import outcome_of
from ordinary.probe import Probe
from ordinary.stack import lowers
from unionfs_sim import Layer, mount
from unionfs_sim.fakefs import learner


def run(probes: Sequence[Probe]) -> dict[str, str]:
    """Outcome by name of the probe, each on a fresh upper."""
    return {probe.name: _one(probe) for probe in probes}


def _one(probe: Probe) -> str:
    union = mount(lowers(), Layer(), clock=time.time_ns)
    with learner(union, caller=probe.caller):
        return outcome_of(probe.run)
