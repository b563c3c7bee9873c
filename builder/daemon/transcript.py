"""A build told as docker's classic builder tells it: ``Step 3/7 : RUN make``, output, what became of it.

Stages are built at the same time and told one after the other, in the order of the Dockerfile.
"""

from __future__ import annotations

import codecs
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Final

from builder.events import (
    BuildBegan,
    CacheHit,
    Event,
    LayerMade,
    OutputPrinted,
    StageBegan,
    StageDone,
    StagePlanned,
    StepBegan,
    Warned,
)
from builder.image.digest import short

_HELD_CHARACTERS: Final = 4 << 20
"""What a stage may say before its turn; beyond that it is told at once, whatever the order."""


class Transcript:
    """A listener of a build. ``say``: takes the next piece of text, from whatever thread."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._lock = threading.Lock()
        self._stages: dict[int, StagePlanned] = {}
        self._offsets: dict[int, int] = {}
        self._total = 0
        self._order: list[int] = []
        self._done: set[int] = set()
        self._held: defaultdict[int, list[str]] = defaultdict(list)
        self._decoders: dict[tuple[int, int], codecs.IncrementalDecoder] = {}

    def __call__(self, event: Event) -> None:
        """Say what is worth a line, now or when its stage has its turn."""
        with self._lock:
            match event:
                case BuildBegan(stages=stages):
                    self._begin(stages)
                case StageBegan(stage=stage, layers=layers):
                    self._tell(
                        stage, self._opening(stage) + (f" ---> {short(layers[-1])}\n" if layers else "")
                    )
                case StepBegan(stage=stage, step=step, text=text):
                    self._tell(stage, self._numbered(stage, step, text))
                case CacheHit(stage=stage, diff_id=diff_id):
                    made = "" if diff_id is None else f" ---> layer {short(diff_id)}\n"
                    self._tell(stage, f" ---> Using cache\n{made}")
                case LayerMade(stage=stage, diff_id=diff_id):
                    self._tell(stage, f" ---> layer {short(diff_id)}\n")
                case OutputPrinted(stage=stage, step=step, data=data):
                    self._tell(stage, self._decoder(stage, step).decode(data))
                case StageDone(stage=stage):
                    self._done.add(stage)
                    self._go_on()
                case Warned(text=text, fix=fix):
                    self._say(f"[Warning] {text}" + (f": {fix}" if fix else "") + "\n")

    def finish(self) -> None:
        """Say all that has waited for its turn."""
        with self._lock:
            for stage in self._order:
                self._release(stage)
            self._order.clear()

    def _begin(self, stages: tuple[StagePlanned, ...]) -> None:
        for stage in stages:
            self._stages[stage.index] = stage
            self._offsets[stage.index] = self._total + 1
            self._total += 1 + len(stage.steps)
        self._order = [stage.index for stage in stages]

    def _opening(self, index: int) -> str:
        stage = self._stages[index]
        alias = "" if stage.name == str(index) else f" AS {stage.name}"
        return self._numbered(index, 0, f"FROM {stage.base}{alias}")

    def _numbered(self, stage: int, step: int, text: str) -> str:
        number = self._offsets[stage] + step
        return f"Step {number}/{max(self._total, number)} : {text}\n"

    def _decoder(self, stage: int, step: int) -> codecs.IncrementalDecoder:
        known = self._decoders.get((stage, step))
        if known is None:
            known = self._decoders[stage, step] = codecs.getincrementaldecoder("utf-8")("replace")
        return known

    def _tell(self, stage: int, text: str) -> None:
        if not text:
            return
        if not self._order or stage == self._order[0]:
            self._say(text)
            return
        held = self._held[stage]
        held.append(text)
        if sum(map(len, held)) > _HELD_CHARACTERS:
            self._release(stage)

    def _go_on(self) -> None:
        """Give the turn to the next stage that is not done."""
        while self._order and self._order[0] in self._done:
            del self._order[0]
            if self._order:
                self._release(self._order[0])

    def _release(self, stage: int) -> None:
        if held := self._held.pop(stage, None):
            self._say("".join(held))
