"""A Python function, asked in a sandbox.

``checks.py`` has ``cases(seed)``, which yields cases and talks; ``oracle(*args)`` if it has one answers the
cases that say no answer, and `learn verify` holds the written ones against it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from course.check import UNKNOWN, Call, Case, Question, Talk, Verdict, Wrong, same
from course.grader.authoring import asked_of, handed_in, made_once, required
from course.grader.kind import Conditions, Judgement, RefusedError
from course.grader.sandbox import NoIsolationError, start
from course.grader.showing import shortened
from course.grader.wire import Answer, Budget, Conversation, WorkerGoneError

if TYPE_CHECKING:
    from course.exercise import Exercise

RESTARTS: Final = 2
"""How often a worker that died is replaced: a loop in every case must not cost a second each."""

PATIENCE_WHEN_BUSY: Final = 4.0
STARVED: Final = (0.02, 0.1)
"""What lost its time and worked for a share of it in between was kept waiting by others: it is asked once
more. What worked for less slept; what worked for more had many times what a right answer takes."""


class _FunctionKind:
    suffix = ".py"

    def questions(self, exercise: Exercise, seed: str) -> Sequence[Question]:
        return ()

    def starter(self, exercise: Exercise, seed: str) -> bytes:
        return required(exercise, "starter").read_bytes()

    def submission(self, exercise: Exercise, part: Path | None, seed: str) -> bytes:
        return handed_in(exercise, part)

    def judge(self, exercise: Exercise, submission: bytes, seed: str, conditions: Conditions) -> Judgement:
        if submission.lstrip()[:1] == b"{" and b'"cells"' in submission:
            raise RefusedError("notebook", isolation=conditions.isolation)
        cases = cases_of(exercise, seed)
        interview = _Interview(exercise, submission, conditions)
        try:
            verdicts = interview.ask_all(cases)
            if interview.was_starved:
                patient = replace(conditions, patience=conditions.patience * PATIENCE_WHEN_BUSY)
                interview = _Interview(exercise, submission, patient)
                verdicts = interview.ask_all(cases)
        except NoIsolationError as error:
            raise RefusedError("not-held", str(error), conditions.isolation) from None
        if interview.refused is not None:
            raise RefusedError(interview.refused.reason, interview.refused.detail, conditions.isolation)
        return Judgement(verdicts, conditions.isolation, bytes(interview.printed))

    def faults(self, exercise: Exercise, seed: str) -> Iterator[str]:
        oracle = getattr(exercise.checks, "oracle", None)
        for case in asked_of(exercise, lambda: list(exercise.checks.cases(exercise.seed(seed)))):
            if isinstance(case, Talk):
                continue
            if case.expected is UNKNOWN and oracle is None:
                yield f"{_called(exercise, case)}: it has no answer, and checks.py has no oracle(*args)"
            elif oracle is not None and case.expected is not UNKNOWN and not case.function:
                answer = asked_of(exercise, partial(oracle, *case.args))
                if not same(answer, case.expected):
                    said = f"checks.py says {case.expected!r}, its oracle {answer!r}"
                    yield f"{_called(exercise, case)}: {said}"


kind: Final = _FunctionKind()


def cases_of(exercise: Exercise, seed: str) -> list[Case | Talk]:
    """All cases for a learner, answers included; equal for equal seeds as long as the generator stays."""

    def made() -> list[Case | Talk]:
        return [
            replace(case, expected=exercise.checks.oracle(*case.args))
            if isinstance(case, Case) and case.expected is UNKNOWN
            else case
            for case in exercise.checks.cases(exercise.seed(seed))
        ]

    return made_once(exercise, seed, made)


@dataclass(slots=True)
class _Interview:
    """A submission and all that it is asked."""

    exercise: Exercise
    source: bytes
    conditions: Conditions
    budget: Budget = field(init=False)
    printed: bytearray = field(default_factory=bytearray)
    restarts: int = 0
    conversation: Conversation | None = None
    refused: WorkerGoneError | None = None
    worked: float = 0.0
    is_late: bool = False

    def __post_init__(self) -> None:
        patience = self.conditions.patience
        self.budget = Budget(self.exercise.seconds * patience, patience)

    def ask_all(self, cases: Sequence[Case | Talk]) -> list[Verdict]:
        """A verdict for each case; none, and ``refused``, if the submission cannot be loaded at all."""
        try:
            self._begin()
        except WorkerGoneError as gone:
            self._note(gone)
            self.refused = gone
            return []
        try:
            verdicts = []
            for done, case in enumerate(cases):
                self.conditions.progress(done, len(cases))
                verdicts.append(Verdict(case.group, self._asked(case)))
            self.conditions.progress(len(cases), len(cases))
            return verdicts
        finally:
            self._end()

    @property
    def was_starved(self) -> bool:
        """Whether time ran out while others had the processor."""
        least, most = STARVED
        share = self.worked / (self.exercise.seconds * self.conditions.patience)
        return self.is_late and least <= share <= most

    def _note(self, gone: WorkerGoneError) -> None:
        self.is_late = self.is_late or gone.reason in ("too-slow", "too-slow-in-all")

    def _asked(self, case: Case | Talk) -> Wrong | None:
        if self.conversation is None:
            return Wrong(how="not-asked", shown=_called(self.exercise, case))
        try:
            return self._talk(case) if isinstance(case, Talk) else self._case(case)
        except WorkerGoneError as gone:
            self._note(gone)
            self._end()
            self.restarts += 1
            if self.restarts <= RESTARTS and self.budget.seconds > 0:
                try:
                    self._begin()
                except WorkerGoneError:  # it loads only the first time; the next cases say so
                    self._end()
            return Wrong(how=gone.reason, shown=_called(self.exercise, case), fields={"detail": gone.detail})

    def _case(self, case: Case) -> Wrong | None:
        assert self.conversation is not None
        answer = self.conversation.ask(Call(case.args, case.function))
        if answer.raised is None and same(answer.value, case.expected):
            return None
        fields = {"expected": shortened(case.expected), "detail": answer.raised or shortened(answer.value)}
        how = "raised" if answer.raised is not None else "wrong"
        if how == "wrong" and answer.value == case.expected:
            how = "wrong-type"
            fields["type"], fields["expected_type"] = (
                type(answer.value).__name__,
                type(case.expected).__name__,
            )
        because = case.because if answer.raised is not None else case.diagnosis(answer.value)
        return Wrong(because, _called(self.exercise, case), fields, how)

    def _talk(self, talk: Talk) -> Wrong | None:
        assert self.conversation is not None
        said: list[str] = []
        script = talk.script()
        try:
            call = next(script)
            while True:
                answer = self.conversation.ask(call)
                said.append(f"{_spelt(self.exercise, call)} → {_told(answer)}")
                if answer.raised is not None:
                    return Wrong(talk.because, "\n".join(said), how="raised-in-talk")
                call = script.send(answer.value)
        except StopIteration as end:
            wrong: Wrong | None = end.value
        if wrong is None:
            return None
        shown = "\n".join([*said, *([wrong.shown] if isinstance(wrong.shown, str) and wrong.shown else [])])
        return replace(wrong, because=wrong.because or talk.because, shown=shown)

    def _begin(self) -> None:
        worker = start(self.source, self.exercise.function, self.conditions.isolation)
        self.conversation = Conversation(worker, self.budget)
        try:
            self.conversation.begin()
        except WorkerGoneError:
            self._end()
            raise

    def _end(self) -> None:
        if self.conversation is not None:
            self.conversation.hear_the_rest()
            self.printed += self.conversation.printed
            self.conversation.worker.kill()
            self.worked += self.conversation.worker.worked
            self.conversation = None


def _told(answer: Answer) -> str:
    return f"raised {answer.raised}" if answer.raised is not None else shortened(answer.value)


def _called(exercise: Exercise, case: Case | Talk) -> str:
    """The call of a case as a learner would write it; a talk that was not held has none yet."""
    return _spelt(exercise, Call(case.args, case.function)) if isinstance(case, Case) else ""


def _spelt(exercise: Exercise, call: Call) -> str:
    return f"{call.function or exercise.function}({', '.join(map(shortened, call.args))})"
