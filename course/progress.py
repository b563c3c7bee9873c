"""What a learner has done so far, kept in the state directory."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Progress:
    """States and hints by exercise id, in ``learn.json``. A broken or absent file counts as nothing done."""

    state_dir: Path

    @property
    def _file(self) -> Path:
        return self.state_dir / "learn.json"

    def _read(self) -> dict[str, dict[str, object]]:
        try:
            said = json.loads(self._file.read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return said if isinstance(said, dict) else {}

    def _change(self, exercise_id: str, **fields: object) -> None:
        known = self._read()
        known[exercise_id] = {**known.get(exercise_id, {}), **fields}
        self.state_dir.mkdir(parents=True, exist_ok=True)
        # A rename is the only step that shows: killed before it, the old file stands.
        descriptor, name = tempfile.mkstemp(prefix=".learn-", dir=self.state_dir)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(known, file, indent=2)
        os.replace(name, self._file)

    def state(self, exercise_id: str) -> str:
        """``new``, ``started`` or ``solved``."""
        state = self._read().get(exercise_id, {}).get("state", "new")
        return state if state in ("started", "solved") else "new"

    def begin(self, exercise_id: str) -> None:
        """Note that it was started, unless it is solved already."""
        if self.state(exercise_id) == "new":
            self._change(exercise_id, state="started")

    def solve(self, exercise_id: str) -> None:
        """Note that it is solved."""
        self._change(exercise_id, state="solved")

    def next_hint(self, exercise_id: str, hints: int) -> int:
        """The number of the hint to show now, from 1; notes that it was shown. The last one repeats."""
        shown = self._read().get(exercise_id, {}).get("hints", 0)
        number = min(shown + 1 if isinstance(shown, int) else 1, hints)
        self._change(exercise_id, hints=number)
        return number
