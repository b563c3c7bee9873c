"""The words in which an exercise's ``checks.py`` speaks: cases, talks, questions, verdicts.

A *case* is one call and the value that is right. A *talk* is several calls and a judgement of how their
answers relate. A *question* is answered in a file. A *verdict* says of one group whether something held.
Values that travel are JSON values, and bytes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Final, TypeAlias, get_args, get_origin


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence of the exercise's own texts, by id, and what fills its fields."""

    id: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why something is wrong.

    ``because``: the id of the misconception, below ``[reasons]`` of the exercise's texts; "" stands for the
    misconception of the group. ``shown``: the smallest thing to look at, lines of code or of a listing, or
    a sentence. ``how``: a sentence below ``[failure]`` of the course's catalogue, "" for none. ``fields``
    fill all of them.
    """

    because: str = ""
    shown: str | Text = ""
    fields: Mapping[str, object] = field(default_factory=dict)
    how: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one thing in ``group``: ``wrong`` is None if it is right."""

    group: str
    wrong: Wrong | None = None

    @property
    def size(self) -> int:
        """How much there is to read in it: the smallest failing verdict is the one to show."""
        return 0 if self.wrong is None else len(str(self.wrong.shown))


def held(group: str, condition: object, because: str = "", shown: str = "", **fields: object) -> Verdict:
    """The verdict that ``condition`` holds; the rest says what is wrong if it does not.

    >>> held("view", True).wrong is None, held("view", False, "lost", "/etc/motd").wrong.because
    (True, 'lost')
    """
    return Verdict(group, None if condition else Wrong(because, shown, fields))


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a submission; ``function`` is that of exercise.toml unless another is named."""

    args: tuple[object, ...]
    function: str = ""


def call(*args: object, function: str = "") -> Call:
    """A call with these arguments.

    >>> call("etc/motd", [[]]).args
    ('etc/motd', [[]])
    """
    return Call(args, function)


class _Unknown(enum.Enum):
    UNKNOWN = "unknown"
    ABSENT = "absent"


UNKNOWN: Final = _Unknown.UNKNOWN
"""A case's answer that ``oracle(*args)`` of the same checks.py gives."""

ABSENT: Final = _Unknown.ABSENT
"""No value: not even None, which may be an answer."""


@dataclass(frozen=True, slots=True)
class Case:
    """Call the submission with ``args``; it should answer ``expected``. ``group``: see exercise.toml.

    ``because``: the misconception that a wrong answer to this very case shows, if it is not the group's.
    ``shows``: misconception → the wrong answer that betrays it.
    """

    group: str
    args: tuple[object, ...]
    expected: object = UNKNOWN
    because: str = ""
    shows: Mapping[str, object] = field(default_factory=dict)
    function: str = ""

    def diagnosis(self, answer: object) -> str:
        """The misconception that ``answer`` shows; "" for the group's."""
        return next((name for name, wrong in self.shows.items() if same(answer, wrong)), self.because)


Script: TypeAlias = Callable[[], Generator[Call, object, Wrong | None]]


@dataclass(frozen=True, slots=True)
class Talk:
    """Several calls, judged by how their answers relate.

    ``script`` yields calls, is sent each answer, and returns what is wrong, or None. It is shown to the
    learner with all calls so far.
    """

    group: str
    script: Script
    because: str = ""


def same_answers(group: str, *calls: Call, because: str = "") -> Talk:
    """A talk that wants one answer to all ``calls``."""

    def script() -> Generator[Call, object, Wrong | None]:
        first = yield calls[0]
        for other in calls[1:]:
            if not same((yield other), first):
                return Wrong(because, how="should-be-same")
        return None

    return Talk(group, script, because)


def different_answers(group: str, *calls: Call, because: str = "") -> Talk:
    """A talk that wants another answer to each of ``calls``."""

    def script() -> Generator[Call, object, Wrong | None]:
        seen: list[object] = []
        for each in calls:
            answer = yield each
            if any(same(answer, known) for known in seen):
                return Wrong(because, how="should-differ")
            seen.append(answer)
        return None

    return Talk(group, script, because)


@dataclass(frozen=True, slots=True)
class Question:
    """A question that is answered in a file of answers.

    ``name``: its key there. ``text``: what is asked. ``shown``: what to look at, as it stands. ``form``: the
    type of an answer (``int``, ``list[str]``, ``dict[str, int]``, ``str | None`` …), ``example``: how one
    looks. ``key``: the right answer, or ``judge``: what is wrong with an answer (None: nothing), when many
    are right. ``shows``: misconception → the wrong answer that betrays it. ``given``: what a program needs
    to answer.

    ``choices``: sentence ids; then the answer is the letter of one of them, ``key`` and the values of
    ``shows`` are sentence ids too.
    """

    name: str
    group: str
    text: Text
    form: object = str
    example: object = ABSENT
    shown: str = ""
    key: object = ABSENT
    judge: Callable[[object], Wrong | None] | None = None
    shows: Mapping[str, object] = field(default_factory=dict)
    given: Mapping[str, object] = field(default_factory=dict)
    choices: Sequence[Text] = ()

    def letter(self, choice: str) -> str:
        """The letter by which the sentence ``choice`` is chosen.

        >>> Question("x", "g", Text("q"), choices=(Text("up"), Text("down"))).letter("down")
        'b'
        """
        return LETTERS[[text.id for text in self.choices].index(choice)]


LETTERS: Final = "abcdefghij"


def same(answer: object, expected: object) -> bool:
    """Whether two values are equal with their types: True is not 1, and 1.0 is not 1.

    >>> same(True, 1), same([1, "a"], [1, "a"])
    (False, True)
    """
    if type(answer) is not type(expected):
        return False
    if isinstance(answer, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(answer) == len(expected) and all(map(same, answer, expected))
    if isinstance(answer, dict) and isinstance(expected, dict):
        return answer.keys() == expected.keys() and all(same(answer[k], expected[k]) for k in answer)
    return answer == expected


def fits(value: object, form: object) -> bool:
    """Whether a JSON value has the type ``form``: a class, ``list[…]``, ``dict[str, …]``, a union.

    >>> fits([1, 2], list[int]), fits(True, int), fits({"a": None}, dict[str, int | None])
    (True, False, True)
    """
    if form is object:
        return True
    if form is None:
        return value is None
    if isinstance(form, UnionType):
        return any(fits(value, part) for part in get_args(form))
    args = get_args(form)
    match get_origin(form):
        case None:
            return type(value) is form
        case kind if kind is list:
            return isinstance(value, list) and all(fits(each, args[0]) for each in value)
        case kind if kind is dict:
            return isinstance(value, dict) and all(fits(each, args[1]) for each in value.values())
    raise TypeError(f"no form of a JSON value: {form}")
