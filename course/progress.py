"""What a learner has done so far, kept in the state directory; nothing of it leaves the machine."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
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

    def begin(self, exercise_id: str, seed: str, file: Path) -> None:
        """Note that it was started with ``seed``, and which file is to edit; what is solved stays solved."""
        state = "solved" if self.state(exercise_id) == "solved" else "started"
        self._change(exercise_id, state=state, seed=seed, file=os.path.abspath(file), touched=self._now())

    def checked(self, exercise_id: str, points: int, of: int, failing: str) -> None:
        """Note a score: the first, the best, and whether it solves the exercise.

        ``failing``: the group to speak of next, "" if none.
        """
        known = self._known(exercise_id)
        best = known.get("best")
        solved = points == of or self.state(exercise_id) == "solved"
        self._change(
            exercise_id,
            state="solved" if solved else "started",
            of=of,
            first=known.get("first", points),
            best=max(points, best) if isinstance(best, int) else points,
            failing=failing,
            touched=self._now(),
        )

    def file(self, exercise_id: str) -> Path | None:
        """The file that is to edit, if the exercise was started."""
        file = self._known(exercise_id).get("file")
        return Path(file) if isinstance(file, str) else None

    def failing(self, exercise_id: str) -> str:
        """The group that failed when it was checked last, "" if none did."""
        failing = self._known(exercise_id).get("failing")
        return failing if isinstance(failing, str) else ""

    def number(self, exercise_id: str, key: str) -> int | None:
        """``first``, ``best`` (points) or ``hints`` (shown), if known."""
        found = self._known(exercise_id).get(key)
        return found if type(found) is int else None

    def current(self) -> str | None:
        """The exercise that was started or checked last."""
        touched = {
            name.removeprefix(self.course): known.get("touched")
            for name, known in self._read().items()
            if name.startswith(self.course)
            and isinstance(known, dict)
            # Only the key of a course that is not the project's own has a colon.
            and ":" not in name.removeprefix(self.course)
        }
        numbered = {name: number for name, number in touched.items() if isinstance(number, int)}
        return max(numbered, key=lambda name: numbered[name]) if numbered else None

    def _now(self) -> int:
        """One more than any exercise was touched at: an order, and no clock."""
        touched = (known.get("touched") for known in self._read().values() if isinstance(known, dict))
        return 1 + max((number for number in touched if isinstance(number, int)), default=0)

    def predicted(self, exercise_id: str, prediction: Mapping[str, object]) -> None:
        """Note a sealed prediction: ``seed``, ``right``, ``of``, ``confidence``, ``seal``."""
        self._change(exercise_id, predictions=[*self.predictions(exercise_id), dict(prediction)])

    def predictions(self, exercise_id: str) -> list[Mapping[str, object]]:
        """All sealed predictions, the first one first."""
        known = self._known(exercise_id).get("predictions")
        return [each for each in known if isinstance(each, dict)] if isinstance(known, list) else []

    def next_hint(self, exercise_id: str, hints: int) -> int:
        """The number of the hint to show now, from 1; notes that it was shown. The last one repeats."""
        shown = self._known(exercise_id).get("hints", 0)
        number = min(shown + 1 if isinstance(shown, int) else 1, hints)
        self._change(exercise_id, hints=number)
        return number

    def hinted_group(self, exercise_id: str) -> str:
        """The group whose own hint was shown last."""
        group = self._known(exercise_id).get("hinted")
        return group if isinstance(group, str) else ""

    def hint_group(self, exercise_id: str, group: str) -> None:
        """Note that the own hint of ``group`` was shown."""
        self._change(exercise_id, hinted=group)

    def forget(self, exercise_id: str) -> None:
        """Forget all of an exercise, its predictions too."""
        every = self._read()
        if every.pop(self.course + exercise_id, None) is not None:
            self._write(every)
