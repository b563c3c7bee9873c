"""What the kernel answered once, held against the model without it; a wrong model is noticed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from differential.model import ModelMachine
from differential.modes import MODES
from differential.mutants import MUTANTS, Mutant
from differential.recording import Recording, read

GOLDEN = Path(__file__).resolve().parents[2] / "golden/kernel"


@cache
def recordings(name: str) -> list[Recording]:
    return read(GOLDEN / f"{name}.jsonl.xz")


@pytest.mark.parametrize("mode", MODES)
def test_the_model_answers_as_the_kernel_did_in_mode(mode: str) -> None:
    for recording in recordings(mode):
        found = recording.replay(ModelMachine())
        assert found is None, f"{recording.name}: {found}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.sentence for one in MUTANTS])
def test_the_shortest_sequence_shows_that(mutant: Mutant) -> None:
    (recording,) = [each for each in recordings("shortest") if each.name == mutant.sentence]

    with mutant.change():
        assert recording.replay(ModelMachine()) is not None
    assert recording.replay(ModelMachine()) is None
