"""Kill the mutants: a learner writes cases, each wrong program must fail one.

``checks.py`` has ``oracle(*args)``, ``SPECIMENS`` (group → the file of a wrong program in ``specimens/``),
``FUNCTION`` and, if not every JSON value can be asked, ``is_question(*args)``. Where no single answer is
right, ``alike(args, others)`` in the place of the oracle says which pairs have the same one, and all cases
are pairs. The group ``agrees`` is the gate: as long as a case is not true, nothing is killed. Specimens are
shown to the learner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from course.check import Question, Verdict, Wrong, fits, same
from course.grader.authoring import asked_of, handed_in
from course.grader.document import opened, written
from course.grader.kind import Conditions, Judgement
from course.grader.limited import judge_in_child
from course.grader.showing import shortened_json as shortened

if TYPE_CHECKING:
    from course.exercise import Exercise

CASES: Final = 12
"""The most cases: a suite that says what it is for is short."""

GATE: Final = "agrees"
_PAIR: Final = '{"args": […], "and": […], "same": true}'
_CASE: Final = '{"args": […], "expected": …}'


class _MutantsKind:
    suffix = ".json"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        return ()

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        return written(exercise, seed, "cases", [])

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        return handed_in(exercise, part).replace(b'"$seed"', f'"{seed}"'.encode())

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        return judge_in_child(exercise, submission, seed, conditions)

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        specimens = asked_of(exercise, lambda: dict(exercise.checks.SPECIMENS))
        if {GATE, *specimens} != set(exercise.groups):
            yield f"the groups should be {GATE!r} and those of SPECIMENS"
        for name in specimens.values():
            if not (exercise.folder / "specimens" / name).is_file():
                yield f"there is no specimens/{name}"


kind: Final = _MutantsKind()


def verdicts(exercise: Exercise, submission: bytes, seed: str) -> list[Verdict]:
    """What the child finds: the gate, then a verdict for each specimen."""
    cases = opened(exercise, submission, seed, "cases")
    wrong = _malformed(cases, _PAIR if hasattr(exercise.checks, "alike") else _CASE)
    if wrong is None:
        assert isinstance(cases, list)
        oracle = getattr(exercise.checks, "oracle", None)
        wrong = next(filter(None, (_contradicts(exercise, oracle, case) for case in cases)), None)
    found = [Verdict(GATE, wrong)]
    for group, name in exercise.checks.SPECIMENS.items():
        path = exercise.folder / "specimens" / name
        program = getattr(exercise.module_of(path), exercise.checks.FUNCTION)
        survivor = wrong or _survives(program, cases, name)
        found.append(Verdict(group, survivor))
    return found


def _malformed(cases: object, form: str) -> Wrong | None:
    if not isinstance(cases, list) or not cases:
        return Wrong(how="no-cases", fields={"form": form})
    if len(cases) > CASES:
        return Wrong(how="too-many-cases", fields={"detail": len(cases), "most": CASES})
    for case in cases:
        one = {"args": list[object], "expected": object}
        two = {"args": list[object], "and": list[object], "same": bool}
        shapes = [shape for shape in (one, two) if isinstance(case, dict) and case.keys() == shape.keys()]
        if not shapes or not all(fits(case[key], value) for key, value in shapes[0].items()):
            return Wrong(how="form", fields={"form": form, "detail": shortened(case)})
    return None


def _contradicts(
    exercise: Exercise, oracle: Callable[..., object] | None, case: Mapping[str, Any]
) -> Wrong | None:
    """What is wrong with a case: it is no question, or the oracle answers something else."""
    alike = getattr(exercise.checks, "alike", None)
    if alike is not None and "and" not in case:
        return Wrong(how="form", fields={"form": _PAIR, "detail": shortened(case)})
    may_ask = getattr(exercise.checks, "is_question", lambda *_args: True)
    for args in (case["args"], case.get("and", case["args"])):
        try:
            if not may_ask(*args):
                return Wrong("not-a-question", shortened(case))
        except Exception:  # whatever a learner's values do to it: they are no question
            return Wrong("not-a-question", shortened(case))
    if alike is not None:
        is_same = alike(case["args"], case["and"])
        how = "should-be-same" if is_same else "should-differ"
        return None if is_same is case["same"] else Wrong(how=how, shown=shortened(case))
    assert oracle is not None
    if _fails(oracle, case):
        return Wrong(how="contradicts", shown=shortened(case), fields={"detail": _said(oracle, case)})
    return None


def _fails(program: Callable[..., object], case: Mapping[str, Any]) -> bool:
    """Whether ``program`` answers otherwise than ``case`` says; one that raises does."""
    try:
        answer = program(*case["args"])
        if "and" in case:
            return same(answer, program(*case["and"])) is not case["same"]
    except Exception:  # a wrong program may raise anything, and is then found out
        return True
    return not same(answer, case["expected"])


def _survives(program: Callable[..., object], cases: object, name: str) -> Wrong | None:
    assert isinstance(cases, list)
    if any(_fails(program, case) for case in cases):
        return None
    return Wrong(how="survives", shown=f"specimens/{name}", fields={"detail": name})


def _said(program: Callable[..., object], case: Mapping[str, Any]) -> str:
    answers = [shortened(program(*case[key])) for key in ("args", "and") if key in case]
    return ", ".join(answers)
