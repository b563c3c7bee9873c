"""What a learner has done so far, kept in the state directory; nothing of it leaves the machine."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """What was done by exercise id, in ``learn.json``. A broken, absent or older file counts as nothing done.

    ``course``: the key of a course that is not the project's own.
    """

    state_dir: Path
    course: str = ""

    @property
    def _file(self) -> Path:
        return self.state_dir / "learn.json"

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            said = json.loads(self._file.read_bytes())
        except (FileNotFoundError, ValueError, RecursionError):
            return {}
        if not isinstance(said, dict) or said.get("version") != VERSION:
            return {}
        exercises = said.get("exercises")
        return exercises if isinstance(exercises, dict) else {}

    def _known(self, exercise_id: str) -> dict[str, object]:
        known = self._read().get(self.course + exercise_id)
        return known if isinstance(known, dict) else {}

    def _change(self, exercise_id: str, **fields: object) -> None:
        every = self._read()
        every[self.course + exercise_id] = {**self._known(exercise_id), **fields}
        self._write(every)

    def _write(self, every: dict[str, dict[str, object]]) -> None:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        # A rename is the only step that shows: killed before it, the old file stands.
        descriptor, name = tempfile.mkstemp(prefix=".learn-", dir=self.state_dir)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"version": VERSION, "exercises": every}, file, indent=2)
        os.replace(name, self._file)

    def state(self, exercise_id: str) -> str:
        """``new``, ``started`` or ``solved``."""
        state = self._known(exercise_id).get("state")
        return str(state) if state in ("started", "solved") else "new"

    def seed(self, exercise_id: str) -> str | None:
        """The seed that it was started with, if it was."""
        seed = self._known(exercise_id).get("seed")
        return seed if isinstance(seed, str) else None

    def begin(self, exercise_id: str, seed: str) -> None:
        """Note that it was started with ``seed``; what is solved stays solved."""
        state = "solved" if self.state(exercise_id) == "solved" else "started"
        self._change(exercise_id, state=state, seed=seed)

    def checked(self, exercise_id: str, points: int, of: int) -> None:
        """Note a score: the first, the best, and whether it solves the exercise."""
        known = self._known(exercise_id)
        best = known.get("best")
        solved = points == of or self.state(exercise_id) == "solved"
        self._change(
            exercise_id,
            state="solved" if solved else "started",
            of=of,
            first=known.get("first", points),
            best=max(points, best) if isinstance(best, int) else points,
        )

    def next_hint(self, exercise_id: str, hints: int) -> int:
        """The number of the hint to show now, from 1; notes that it was shown. The last one repeats."""
        shown = self._known(exercise_id).get("hints", 0)
        number = min(shown + 1 if isinstance(shown, int) else 1, hints)
        self._change(exercise_id, hints=number)
        return number
