"""What a notebook asks a learner: a prediction before, a check after.

Neither raises for a wrong answer: a wrong prediction is the best part of a lesson, and a notebook must run
to its end.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

from course.check import same


@dataclass(frozen=True, slots=True)
class Verdict:
    """Some answers, and which of them are right. ``unanswered``: those still None."""

    heading: str
    answers: Mapping[str, object]
    truths: Mapping[str, object]

    @property
    def right(self) -> tuple[str, ...]:
        """The questions that were answered right."""
        return tuple(name for name, truth in self.truths.items() if same(self.answers.get(name), truth))

    @property
    def complete(self) -> bool:
        """Whether every answer is right."""
        return len(self.right) == len(self.truths)

    def _rows(self) -> list[tuple[str, str, str, str]]:
        rows = []
        for name, truth in self.truths.items():
            answer = self.answers.get(name)
            mark = "✓" if name in self.right else "·" if answer is None else "✗"
            # An answer not given yet is not told: the learner is still to predict.
            rows.append(
                (mark, name, "?" if answer is None else repr(answer), "" if answer is None else repr(truth))
            )
        return rows

    def __str__(self) -> str:
        lines = [f"{self.heading}: {len(self.right)} of {len(self.truths)}"]
        lines += [
            f"  {mark} {name}: {answer}" + (f", it is {truth}" if mark == "✗" else "")
            for mark, name, answer, truth in self._rows()
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><td>{mark}</td><td style='text-align:left'>{html.escape(name)}</td>"
            f"<td><code>{html.escape(answer)}</code></td><td><code>{html.escape(truth)}</code></td></tr>"
            for mark, name, answer, truth in self._rows()
        )
        head = "<tr><th></th><th>question</th><th>your answer</th><th>what happens</th></tr>"
        score = f"{len(self.right)} / {len(self.truths)}"
        return f"<b>{html.escape(self.heading)}</b> {score}<table>{head}{cells}</table>"


def compare(prediction: Mapping[str, object], truth: Mapping[str, object]) -> Verdict:
    """What was predicted beside what happened.

    >>> compare({"size": 3, "names": None}, {"size": 5, "names": ["a"]})
    Prediction: 0 of 2
      ✗ size: 3, it is 5
      · names: ?
    """
    return Verdict("Prediction", prediction, truth)


def check(answers: Mapping[str, object], truth: Mapping[str, object]) -> Verdict:
    """The score of a lesson's last cell.

    >>> check({"layer": 1}, {"layer": 1}).complete
    True
    """
    return Verdict("Check", answers, truth)
