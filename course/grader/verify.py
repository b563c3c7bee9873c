"""Whether an exercise does what it promises: reference all points, starter none, every mutant caught."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from course.catalogue import LANGUAGES, Catalogue
from course.exercise import Exercise, ExerciseError, Mutant
from course.grader.authoring import required
from course.grader.grade import Result, grade_bytes
from course.grader.kind import Conditions, kind_of
from course.kinds import KINDS

SEEDS: Final = ("verify", "another")
HINTS: Final = 3
MUTANTS: Final = 3
README_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class MutantResult:
    """What a wrong answer scored."""

    mutant: Mutant
    points: int
    is_caught: bool

    @property
    def is_fine(self) -> bool:
        """Whether its group caught it and it stayed at or below its cap."""
        return self.is_caught and self.points <= self.mutant.cap


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found; ``faults``: a sentence for each thing that the author must mend."""

    exercise: Exercise
    reference: int
    starter: int
    mutants: tuple[MutantResult, ...]
    faults: tuple[str, ...]

    @property
    def is_fine(self) -> bool:
        """Whether a learner may get it."""
        return not self.faults


def verify(exercise: Exercise, conditions: Conditions, *, more_seeds: int = 0) -> Verification:
    """All that can be checked of one exercise; needs its reference and its mutants.

    With two seeds, of which the mutants get the first; each of ``more_seeds`` is for all of them. With one
    where a seed decides about nothing.
    """
    faults = list(_written(exercise))
    mutants: list[MutantResult] = []
    points = {"reference": exercise.points, "starter": 0}
    try:
        faults += kind_of(exercise).faults(exercise, SEEDS[0])
        is_seeded = KINDS[exercise.kind].is_seeded
        more = tuple(f"more-{number}" for number in range(more_seeds if is_seeded else 0))
        for seed in (*SEEDS, *more) if is_seeded else SEEDS[:1]:
            for part, wanted in (("reference", exercise.points), ("starter", 0)):
                result = _graded(exercise, part, seed, conditions)
                if result.points != wanted:
                    points[part] = result.points
                    faults.append(_off(part, seed, wanted, result))
        caught: set[str] = set()
        for mutant in exercise.mutants:
            result = _graded(exercise, f"mutants/{mutant.name}", SEEDS[0], conditions)
            failed = {group.name for group in result.groups if not group.passed}
            caught |= failed
            mutants.append(MutantResult(mutant, result.points, mutant.group in failed))
            faults += _mutant_faults(mutants[-1], result)
            faults += _first_faults(exercise, mutant, more, conditions)
        faults += [
            f"the group {name!r} never fails: no mutant is caught by it"
            for name in exercise.groups
            if name not in caught
        ]
    except ExerciseError as error:
        faults.append(str(error))
    return Verification(exercise, points["reference"], points["starter"], tuple(mutants), tuple(faults))


def _first_faults(
    exercise: Exercise, mutant: Mutant, seeds: tuple[str, ...], conditions: Conditions
) -> Iterator[str]:
    """What is wrong with a mutant at the first of ``seeds`` with which something is."""
    for seed in seeds:
        result = _graded(exercise, f"mutants/{mutant.name}", seed, conditions)
        is_caught = any(group.name == mutant.group and not group.passed for group in result.groups)
        found = list(_mutant_faults(MutantResult(mutant, result.points, is_caught), result))
        if found:
            yield from (f"{fault}, with the seed {seed!r}" for fault in found)
            return


def _graded(exercise: Exercise, part: str, seed: str, conditions: Conditions) -> Result:
    kind = kind_of(exercise)
    if part == "starter":
        handed = kind.starter(exercise, seed)
    elif part == "reference":
        handed = kind.submission(exercise, exercise.part(part), seed)
    else:
        handed = kind.submission(exercise, required(exercise, part), seed)
    return grade_bytes(exercise, handed, seed=seed, conditions=conditions)


def _off(part: str, seed: str, wanted: int, result: Result) -> str:
    why = f"; refused: {result.refused[0]} {result.refused[1]}" if result.refused else ""
    lost = next((g for g in result.groups if g.passed == (part == "starter")), None)
    if lost is not None and not why:
        wrong = f": {lost.failure.shown} {dict(lost.failure.fields)}" if lost.failure else ""
        why = f"; group {lost.name!r}{wrong}"
    return f"the {part} scores {result.points}, not {wanted}, with the seed {seed!r}{why}"


def _mutant_faults(found: MutantResult, result: Result) -> Iterator[str]:
    mutant = found.mutant
    if result.refused is not None:
        yield f"the mutant {mutant.name!r} is refused ({result.refused[0]} {result.refused[1]})"
    if not found.is_caught:
        yield f"the mutant {mutant.name!r} is not caught by its group {mutant.group!r}"
    if found.points > mutant.cap:
        yield f"the mutant {mutant.name!r} scores {found.points}, more than its cap {mutant.cap}"


def _written(exercise: Exercise) -> Iterator[str]:
    """What is wrong with the files: texts in both languages, hints, mutants."""
    ids = {}
    for language in LANGUAGES:
        try:
            texts = Catalogue(language, exercise.text(language))
        except ExerciseError as error:
            yield str(error)
            continue
        ids[language] = texts.ids()
        yield from _texts(exercise, language, texts)
    if len(ids) == len(LANGUAGES):
        for name in sorted(ids["en"] ^ ids["zh"]):
            there, absent = ("en", "zh") if name in ids["en"] else ("zh", "en")
            yield f"text.{absent}.toml lacks {name!r}, which text.{there}.toml has"
    for language in LANGUAGES:
        page = exercise.readme(language)
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
        if len(text) < README_CHARACTERS or not _is_written_in(language, text):
            yield f"{page.name} is missing, too short, or in another language"
    if len(exercise.mutants) < MUTANTS:
        yield f"{len(exercise.mutants)} mutants; {MUTANTS} are the fewest"
    present = {path.stem for path in (exercise.folder / "mutants").glob("*.*")}
    for name in sorted(present ^ {mutant.name for mutant in exercise.mutants}):
        yield f"the mutant {name!r} is in exercise.toml or in mutants/, and not in both"


def _texts(exercise: Exercise, language: str, texts: Catalogue) -> Iterator[str]:
    page = f"text.{language}.toml"
    for name in exercise.groups:
        for wanted in (f"groups.{name}.title", f"groups.{name}.misconception"):
            if wanted not in texts.ids():
                yield f"{page} lacks {wanted!r}"
    if "title" not in texts.ids():
        yield f"{page} lacks 'title'"
    hints = texts.sentences.get("hints")
    if not isinstance(hints, list) or len(hints) != HINTS or not all(isinstance(h, str) for h in hints):
        yield f"{page}: hints should be a list of {HINTS} sentences"
    elif "?" not in hints[1] and "？" not in hints[1]:
        yield f"{page}: the second hint should be a question"
    elif not _is_written_in(language, hints[0]):
        yield f"{page} is in another language"


def _is_written_in(language: str, text: str) -> bool:
    return (re.search(r"[\u4e00-\u9fff]", text) is not None) == (language == "zh")
