"""What a notebook speaks through: its texts in one language, a prediction before, a check after.

Nothing raises for a wrong answer: a wrong prediction is the best part of a lesson, and a notebook must run to
its end. The texts and the keys are in ``course/lessons``, so that a notebook shows neither twice, nor early.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from builder.errors import BuildError
from course.catalogue import LANGUAGES, Catalogue
from course.check import same
from course.exercise import nearest, read_toml
from course.figures.picture import Picture

LESSONS: Final = Path(__file__).parent / "lessons"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The right answer to a question of a check, worked out by the machine that is taught.

    ``fields`` fill the sentence that gives the reason; ``shown``: a counter-example to a wrong answer, lines
    of a listing, made when it is needed.
    """

    truth: object
    fields: Mapping[str, object] = field(default_factory=dict)
    shown: Callable[[], str] = str


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is asked. ``form``: how an answer looks; ``choices``: the only answers, if told."""

    name: str
    ask: str
    form: str
    because: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """Text in Markdown."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Verdict:
    """Some answers, and which of them are right. What was not answered (None) is not told."""

    heading: str
    questions: Sequence[Question]
    answers: Mapping[str, object]
    truths: Mapping[str, Sealed]
    say: Catalogue

    @property
    def right(self) -> tuple[str, ...]:
        """The names of the questions that were answered right."""
        return tuple(
            name for name, sealed in self.truths.items() if same(self.answers.get(name), sealed.truth)
        )

    @property
    def complete(self) -> bool:
        """Whether every answer is right."""
        return len(self.right) == len(self.truths)

    def _rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Mark, question, answer, what is told of it, and the counter-example."""
        for question in self.questions:
            answer, sealed = self.answers.get(question.name), self.truths[question.name]
            if answer is None:
                yield "·", question.ask, "?", question.form, ""
            elif question.name in self.right:
                yield "✓", question.ask, repr(answer), question.because.format(**sealed.fields), ""
            elif type(answer) is not type(sealed.truth) or (
                question.choices and answer not in question.choices
            ):
                yield "✗", question.ask, repr(answer), self.say("lesson.form", form=question.form), ""
            else:
                told = self.say("lesson.it-is", truth=repr(sealed.truth))
                yield (
                    "✗",
                    question.ask,
                    repr(answer),
                    f"{told} {question.because.format(**sealed.fields)}".rstrip(),
                    sealed.shown(),
                )

    def _score(self) -> str:
        return f"{len(self.right)} / {len(self.truths)}"

    def __str__(self) -> str:
        lines = [f"{self.heading}: {self._score()}"]
        for mark, ask, answer, told, shown in self._rows():
            lines.append(f"  {mark} {ask}: {answer}")
            if told and mark != "·":
                lines.append(f"      {told}")
            lines += [f"      | {line}" for line in shown.splitlines()]
        lines += [f"  {note}" for note in self._notes()]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        left = "style='text-align:left;vertical-align:top'"
        rows = "".join(
            f"<tr><td {left}>{mark}</td><td {left}>{_spans(ask)}</td>"
            f"<td {left}><code>{html.escape(answer)}</code></td><td {left}>{_spans(told)}"
            + (f"<pre>{html.escape(shown)}</pre>" if shown else "")
            + "</td></tr>"
            for mark, ask, answer, told, shown in self._rows()
        )
        head = "".join(
            f"<th {left}>{html.escape(self.say(f'lesson.{word}'))}</th>"
            for word in ("question", "answer", "told")
        )
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())
        return (
            f"<b>{html.escape(self.heading)}</b> {self._score()}"
            f"<table><tr><th></th>{head}</tr>{rows}</table>{notes}"
        )

    def _notes(self) -> Iterator[str]:
        for name in self.answers:
            if name not in self.truths:
                yield self.say("lesson.no-question", name=repr(name), hint=nearest(str(name), self.truths))


def _spans(text: str) -> str:
    """Text as HTML, what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))


class Lesson:
    """One notebook's words. ``name``: a lesson of ``course/lessons``; ``language``: one of ``LANGUAGES``.

    In a notebook, whatever goes wrong in a cell from now on is told in a sentence, without a traceback.
    """

    def __init__(self, name: str, language: str = "en") -> None:
        if language not in LANGUAGES:
            raise BuildError(f"no texts in {language!r}", fix=f"LANGUAGE is one of: {', '.join(LANGUAGES)}")
        self.name = name
        self.language = language
        self._course = Catalogue.read(language)
        self._texts = Catalogue(language, read_toml(LESSONS / f"{name}.{language}.toml"))
        _tell_errors_in_sentences(self._course)

    @classmethod
    def names(cls) -> list[str]:
        """All lessons that have texts."""
        return sorted({path.name.split(".")[0] for path in LESSONS.glob("*.toml")})

    def say(self, part: str) -> Prose:
        """A part of the lesson's text; that of a prediction or a check goes on with its questions."""
        text = self._texts(f"text.{part}").strip()
        asked = self.questions(part)
        if asked:
            names = ("lesson.name", "lesson.question", "lesson.form-of")
            head = " | ".join(map(self._course, names))
            rows = "\n".join(f"| `{each.name}` | {each.ask} | {each.form} |" for each in asked)
            text += f"\n\n| {head} |\n|---|---|---|\n{rows}"
        return Prose(text)

    def questions(self, part: str) -> list[Question]:
        """The questions of ``predict`` or ``check``, in the order in which they are asked."""
        asked = self._texts.sentences.get(part, {})
        assert isinstance(asked, Mapping)
        return [self._question(name, table) for name, table in asked.items()]

    def _question(self, name: str, table: Mapping[str, Any]) -> Question:
        choices = tuple(table.get("choices", ()))
        form = " / ".join(f'"{each}"' for each in choices) or self._course(f"lesson.forms.{table['form']}")
        return Question(name, table["ask"], form, table.get("because", ""), choices)

    def predict(self, prediction: Mapping[str, object], **truths: object) -> Verdict:
        """What was predicted, beside what happened: ``truths``, by the name of the question."""
        sealed = {question.name: Sealed(truths[question.name]) for question in self.questions("predict")}
        return self._verdict("predict", prediction, sealed)

    def check(self, answers: Mapping[str, object]) -> Verdict:
        """The score of the last cell; the key is worked out now, by building and running."""
        return self._verdict("check", answers, self._key)

    @cached_property
    def _key(self) -> Mapping[str, Sealed]:
        made: Mapping[str, Sealed] = import_module(f"course.lessons.{self.name}").check()
        return made

    def _verdict(self, part: str, answers: object, sealed: Mapping[str, Sealed]) -> Verdict:
        if not isinstance(answers, Mapping):
            raise BuildError(self._course("lesson.no-table", answers=repr(answers)[:40]))
        return Verdict(self._course(f"lesson.{part}"), self.questions(part), answers, sealed, self._course)

    def show(self, picture: Picture) -> Picture:
        """The picture with its words in the lesson's language."""
        return replace(picture, spec={**picture.spec, "language": self.language})


def at(name: str) -> Lesson:
    """The lesson ``name`` in the LANGUAGE of the notebook that asks ("en" if it has not said).

    The notebook has it as ``lesson`` from then on, with whichever of its texts one begins.
    """
    asking = sys._getframe(1).f_globals
    lesson = Lesson(name, asking.get("LANGUAGE", "en"))
    asking["lesson"] = lesson
    return lesson


def _tell_errors_in_sentences(say: Catalogue) -> None:
    """Let the notebook that this process runs, if it does, show what went wrong without a traceback."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return

    def tell(
        shell: Any, kind: type[BaseException], error: BaseException, _trace: TracebackType, **_: object
    ) -> list[str]:
        told = [sentence(error, say)]
        shell._showtraceback(kind, error, told)  # what IPython calls with the lines to show
        return told

    shell.set_custom_exc((Exception,), tell)


def sentence(error: BaseException, say: Catalogue) -> str:
    """What a learner is told of an exception: what, and what to do."""
    match error:
        case BuildError():
            return str(error)
        case NameError(name=str(name)):
            return say("lesson.no-name", name=name)
        case OSError():
            return f"{type(error).__name__}: {error.strerror}: {error.filename!r}"
    return f"{type(error).__name__}: {error}"
