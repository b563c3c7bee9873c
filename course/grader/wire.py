"""The talk with a worker: one question, one answer, in time, and nothing that was not asked for."""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import select
import time
from dataclasses import dataclass, field
from typing import Final

from course.check import Call
from course.grader.sandbox import Worker

SECONDS_PER_CALL: Final = 1.0
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
class Budget:
    """Seconds left for loading a submission and all its calls; ``patience`` multiplies a call's limit."""

    seconds: float
    patience: float = 1.0


@dataclass(slots=True)
class Conversation:
    """A worker and what was heard from it. ``printed``: the first megabyte of its output."""

    worker: Worker
    budget: Budget
    printed: bytearray = field(default_factory=bytearray)
    _heard: bytearray = field(default_factory=bytearray)

    def begin(self) -> None:
        """Wait until the submission is loaded; raises WorkerGoneError with the reason if it is not.

        Loading is paid from the budget too: a submission that never ends costs no more than that.
        """
        message = self._timed(self.budget.seconds)
        for reason in ("not-loaded", "not-python", "not-held"):
            if isinstance(why := message.get(reason), str):
                raise WorkerGoneError(reason, why)
        if message != {"ready": True}:
            raise WorkerGoneError("protocol")

    def ask(self, call: Call) -> Answer:
        """The answer to one call; raises WorkerGoneError when there will be none."""
        nonce = secrets.token_hex(8)
        asked = {"nonce": nonce, "function": call.function, "args": call.args}
        question = json.dumps(asked, default=to_json).encode() + b"\n"
        try:
            self.worker.questions.write(question)
            self.worker.questions.flush()
        except BrokenPipeError:
            raise WorkerGoneError("ended") from None
        message = self._timed(SECONDS_PER_CALL * self.budget.patience)
        if message.pop("nonce", None) != nonce or self._heard:
            raise WorkerGoneError("protocol")
        if isinstance(raised := message.get("raised"), str):
            return Answer(raised=raised)
        if "value" not in message:
            raise WorkerGoneError("protocol")
        return Answer(value=message["value"])

    def _timed(self, most: float) -> dict[str, object]:
        """The next line, within ``most`` seconds and what the budget has left."""
        began = time.monotonic()
        limit = min(most, self.budget.seconds)
        try:
            return self._next(limit)
        except WorkerGoneError as gone:
            if gone.reason == "too-slow" and limit < most / 2:
                raise WorkerGoneError("too-slow-in-all") from None
            raise
        finally:
            self.budget.seconds = max(0.0, self.budget.seconds - (time.monotonic() - began))

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
            message = json.loads(line, object_hook=from_json)
        except (ValueError, RecursionError):
            raise WorkerGoneError("protocol") from None
        if not isinstance(message, dict):
            raise WorkerGoneError("protocol")
        return message

    def hear_the_rest(self) -> None:
        """Take what was printed and not read yet, without waiting."""
        while self._output() and select.select(self._output(), [], [], 0)[0]:
            try:
                self._listen()
            except WorkerGoneError:
                return

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


def to_json(value: object) -> object:
    """How bytes travel; TypeError for anything else that JSON has no word for."""
    if type(value) is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"no value that travels: {type(value).__name__}")


def from_json(table: dict[str, object]) -> object:
    """Bytes, where a table stands for them; ValueError if it is a broken one."""
    if table.keys() != {"$bytes"}:
        return table
    try:
        return base64.b64decode(str(table["$bytes"]), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error
