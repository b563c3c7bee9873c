"""Classifications with reasons: each item gets a class and the reason for it, both chosen from lists.

``checks.py`` has ``items(seed)``. An answer is ``{"is": class, "because": letter}``; the letters of the
reasons are dealt anew for every item.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from course.check import LETTERS, Question, Text, Wrong
from course.grader.authoring import asked_of
from course.grader.kinds.prediction import Prediction

if TYPE_CHECKING:
    from course.exercise import Exercise

PER_GROUP: Final = 3
"""The fewest items of a group: with less, a guess passes too often."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be classified, ``shown`` as it stands.

    ``classes``: words; ``right``: one of them. ``reasons``: ids of sentences below ``[statements]``;
    ``because``: the one that is the reason. ``shows``: misconception → the (class, reason) or the class that
    betrays it. ``given``: what a program needs to answer.
    """

    name: str
    group: str
    shown: str
    classes: Sequence[str]
    right: str
    reasons: Sequence[str]
    because: str
    shows: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    given: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


class _Choice(Prediction):
    __slots__ = ()

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        dice = random.Random(exercise.seed(seed))
        items: list[Item] = asked_of(exercise, lambda: list(exercise.checks.items(exercise.seed(seed))))
        return [_question(item, dice) for item in items]

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        items: list[Item] = asked_of(exercise, lambda: list(exercise.checks.items(exercise.seed(seed))))
        for name in exercise.groups:
            count = sum(item.group == name for item in items)
            if count < PER_GROUP:
                yield f"group {name!r} has {count} items; {PER_GROUP} are the fewest"
        for item in items:
            if item.right not in item.classes or item.because not in item.reasons:
                yield f"item {item.name}: what is right is not among what can be chosen"


def _question(item: Item, dice: random.Random) -> Question:
    reasons = dice.sample(list(item.reasons), len(item.reasons))
    choices = tuple(Text(f"statements.{reason}") for reason in reasons)
    letters = dict(zip(reasons, LETTERS, strict=False))
    right = {"is": item.right, "because": letters[item.because]}

    def judge(answer: object) -> Wrong | None:
        assert isinstance(answer, dict)
        chosen = next((reason for reason, letter in letters.items() if answer.get("because") == letter), "")
        if answer == right:
            return None
        pair = (answer.get("is"), chosen)
        betrayed = (name for name, said in item.shows.items() if said in (pair, pair[0]))
        how = "misclassified" if answer.get("is") != item.right else "wrong-reason"
        fields = {"is": str(answer.get("is")), "classes": ", ".join(item.classes)}
        return Wrong(next(betrayed, ""), item.shown, fields, how)

    given = {**item.given, "shown": item.shown, "letters": letters}
    return Question(
        item.name,
        item.group,
        Text("question", {"classes": ", ".join(item.classes)}),
        dict[str, str],
        {"is": item.classes[0], "because": "a"},
        item.shown,
        key=right,
        judge=judge,
        choices=choices,
        given=given,
    )


kind: Final = _Choice()
