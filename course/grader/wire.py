"""The talk with a worker: one question, one answer, in time, and nothing that was not asked for."""

from __future__ import annotations

import json
import os
import secrets
import select
import time
from dataclasses import dataclass, field
from typing import Final

from course.grader.sandbox import Worker

SECONDS_PER_CALL: Final = 1.0
SECONDS_TO_LOAD: Final = 5.0
OUTPUT_BYTES: Final = 1 << 20
ANSWER_BYTES: Final = 1 << 20


class WorkerGoneError(Exception):
    """The worker can answer no more; ``reason`` is a catalogue id."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave: a value, or in ``raised`` the exception in one line."""

    value: object = None
    raised: str | None = None


@dataclass(slots=True)
class Conversation:
    """A worker and what was heard from it. ``printed``: the first megabyte of its output."""

    worker: Worker
    printed: bytearray = field(default_factory=bytearray)
    _heard: bytearray = field(default_factory=bytearray)

    def begin(self) -> None:
        """Wait until the submission is loaded; raises WorkerGoneError("not-loaded") with the reason."""
        message = self._next(SECONDS_TO_LOAD)
        if isinstance(failed := message.get("failed"), str):
            raise WorkerGoneError("not-loaded", failed)
        if message != {"ready": True}:
            raise WorkerGoneError("protocol")

    def ask(self, args: tuple[object, ...]) -> Answer:
        """The answer to one call; raises WorkerGoneError when there will be none."""
        nonce = secrets.token_hex(8)
        question = json.dumps({"nonce": nonce, "args": args}).encode() + b"\n"
        try:
            self.worker.questions.write(question)
            self.worker.questions.flush()
        except BrokenPipeError:
            raise WorkerGoneError("ended") from None
        message = self._next(SECONDS_PER_CALL)
        if message.pop("nonce", None) != nonce or self._heard:
            raise WorkerGoneError("protocol")
        if isinstance(raised := message.get("raised"), str):
            return Answer(raised=raised)
        if "value" not in message:
            raise WorkerGoneError("protocol")
        return Answer(value=message["value"])

    def _next(self, seconds: float) -> dict[str, object]:
        """The next line of JSON, within ``seconds``."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self._heard:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerGoneError("too-slow")
            ready, _, _ = select.select([self.worker.answers, *self._output()], [], [], left)
            if self.worker.printed in ready:
                self._listen()
            if self.worker.answers in ready:
                piece = os.read(self.worker.answers, 1 << 16)
                if not piece:
                    raise WorkerGoneError("ended")
                self._heard += piece
                if len(self._heard) > ANSWER_BYTES:
                    raise WorkerGoneError("flood")
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard[:] = rest
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise WorkerGoneError("protocol") from None
        if not isinstance(message, dict):
            raise WorkerGoneError("protocol")
        return message

    def _output(self) -> list[int]:
        return [self.worker.printed] if self.worker.printed >= 0 else []

    def _listen(self) -> None:
        """Take what was printed; more than a megabyte ends the conversation."""
        piece = os.read(self.worker.printed, 1 << 16)
        if not piece:
            os.close(self.worker.printed)
            self.worker.printed = -1
        self.printed += piece
        if len(self.printed) > OUTPUT_BYTES:
            raise WorkerGoneError("flood")
