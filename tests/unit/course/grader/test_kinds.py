"""Each kind of exercise judges what is right, what is wrong, and what is no submission of its kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from small_exercise import graded, made, passed

from course.catalogue import Catalogue
from course.exercise import Exercise, ExerciseError
from course.grader.grade import grade_bytes
from course.grader.kind import Conditions, Isolation, kind_of
from course.grader.kinds.prediction import difference
from course.grader.report import details
from course.grader.sandbox import best_isolation
from course.kinds import KINDS


def document(key: str, value: object, *, exercise: str = "0.1", seed: str = "s") -> str:
    return json.dumps({"exercise": exercise, "seed": seed, key: value})


def test_every_registered_kind_can_be_loaded(tmp_path: Path) -> None:
    for number, name in enumerate(KINDS):
        keys = 'function = "f"' if name == "function" else ""
        exercise = made(tmp_path / str(number), name, "", "one = 1", keys=keys)

        assert kind_of(exercise).suffix.startswith(".")


class TestFunction:
    CHECKS = """
from course.check import Case, Wrong, call, Talk, different_answers, same_answers

def cases(seed):
    yield Case("value", (b"abc",), because="spelt")
    yield same_answers("relation", call(b"a"), call(b"a"))
    yield different_answers("relation", call(b"a"), call(b"b"))
    yield Talk("talk", talk)

def oracle(raw):
    return raw.upper()

def talk():
    once = yield call(b"x")
    twice = yield call(once)
    return None if once == twice else Wrong("spelt", shown="twice is not once")
"""

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        return made(
            tmp_path / "e",
            "function",
            self.CHECKS,
            "value = 1\nrelation = 1\ntalk = 1",
            keys='function = "f"\nfile = "f.py"',
        )

    def test_cases_without_an_answer_get_the_oracles(self, exercise: Exercise) -> None:
        assert graded(exercise, "def f(raw):\n    return raw.upper()\n").passed

    def test_a_talk_judges_how_answers_relate(self, exercise: Exercise) -> None:
        result = graded(exercise, "def f(raw):\n    return raw + b'A'\n")

        assert passed(result) == {"value": False, "relation": True, "talk": False}
        failure = result.groups[2].failure
        assert failure is not None
        assert failure.shown == "f(b'x') → b'xA'\nf(b'xA') → b'xAA'\ntwice is not once"

    def test_equal_answers_where_others_are_wanted_are_wrong(self, exercise: Exercise) -> None:
        result = graded(exercise, "def f(raw):\n    return b''\n")

        assert result.groups[1].failure is not None
        assert result.groups[1].failure.how == "should-differ"

    def test_a_text_is_not_bytes(self, exercise: Exercise) -> None:
        assert not passed(graded(exercise, "def f(raw):\n    return raw.upper().decode()\n"))["value"]

    def test_an_exception_in_a_talk_is_told(self, exercise: Exercise) -> None:
        result = graded(exercise, "def f(raw):\n    return raw.upper() if raw != b'x' else 1 / 0\n")

        assert result.groups[2].failure is not None
        assert "ZeroDivisionError" in str(result.groups[2].failure.shown)

    def test_what_was_printed_is_kept(self, exercise: Exercise) -> None:
        result = graded(exercise, "def f(raw):\n    print('hello', raw)\n    return raw.upper()\n")

        assert b"hello b'abc'\n" in result.printed

    def test_calls_that_are_slow_together_end(self, exercise: Exercise) -> None:
        conditions = Conditions(best_isolation(), 2.0)
        source = b"import time\ndef f(raw):\n    time.sleep(0.9)\n    return raw.upper()\n"

        result = grade_bytes(exercise, source, seed="s", conditions=conditions)

        assert result.points < 3
        assert "too-slow-in-all" in {group.failure.how for group in result.groups if group.failure}


class TestPrediction:
    CHECKS = """
from course.check import Question, Text, Wrong

def questions(seed):
    yield Question("size", "keyed", Text("question", {"classes": "x"}), int, 3, key=5, shows={"spelt": 4})
    yield Question("word", "judged", Text("question", {"classes": "x"}), list[str], judge=judge)
    yield Question("why", "chosen", Text("question", {"classes": "x"}), key="statements.up",
                   choices=(Text("statements.down"), Text("statements.up")),
                   shows={"spelt": "statements.down"})

def judge(answer):
    return None if "a" in answer else Wrong("spelt")
"""

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        return made(tmp_path / "e", "prediction", self.CHECKS, "keyed = 1\njudged = 1\nchosen = 1")

    def test_right_answers_pass(self, exercise: Exercise) -> None:
        assert graded(exercise, document("answers", {"size": 5, "word": ["b", "a"], "why": "b"})).passed

    def test_a_wrong_answer_betrays_its_misconception(self, exercise: Exercise) -> None:
        result = graded(exercise, document("answers", {"size": 4, "word": [], "why": "a"}))

        assert [group.failure.because for group in result.groups if group.failure] == ["spelt"] * 3

    @pytest.mark.parametrize("answer", [True, 5.0, "5", [5]])
    def test_an_answer_of_another_type_is_told_its_form(self, exercise: Exercise, answer: object) -> None:
        failure = graded(exercise, document("answers", {"size": answer})).groups[0].failure

        assert failure is not None
        assert failure.how == "form-like"
        told = list(details(failure, Catalogue.read("en"), Catalogue.read("en")))
        assert told[-1] == f"    should be a number such as 3, and is {json.dumps(answer)}"

    def test_the_starter_asks_all_and_scores_nothing(self, exercise: Exercise) -> None:
        starter = kind_of(exercise).starter(exercise, "s")

        assert json.loads(starter)["answers"] == {"size": None, "word": None, "why": None}
        assert graded(exercise, starter.decode()).points == 0

    @pytest.mark.parametrize(
        ("submission", "reason"),
        [
            ("{", "not-json"),
            ("[" * 100_000, "not-json"),
            ('{"answers": NaN}', "not-json"),
            ('{"exercise": "0.1", "exercise": "0.1"}', "not-json"),
            ("[]", "not-a-document"),
            ("{}", "not-a-document"),
            (document("answers", []), "not-a-document"),
            (document("answers", {}, exercise="0.2"), "other-exercise"),
            (document("answers", {}, seed="other"), "other-seed"),
            (document("answers", {"nothing": 1}), "unknown-question"),
            (" " * 300_000, "too-large-document"),
        ],
    )
    def test_what_is_no_answer_file_is_refused(
        self, exercise: Exercise, submission: str, reason: str
    ) -> None:
        result = graded(exercise, submission)

        assert result.refused is not None
        assert result.refused[0] == reason


class TestDifference:
    """A wrong list or table is told the first place at which it differs."""

    @pytest.mark.parametrize(
        ("answer", "right", "how", "place"),
        [
            ({}, {"/a": "file"}, "predicted-less", "/a"),
            ({"/a": "file", "/b": "file"}, {"/a": "file"}, "predicted-more", "/b"),
            ({"/a": "file"}, {"/a": "dir"}, "predicted-other", "/a"),
            ({"/b": "file"}, {"/a": "dir", "/b": "dir"}, "predicted-less", "/a"),
            (["/a"], ["/a", "/b"], "predicted-less", "/b"),
            (["/a", "/c"], ["/b", "/c"], "predicted-more", "/a"),
            (["/b", "/a"], ["/a", "/b"], "predicted-order", ""),
            (["/a", "/a"], ["/a"], "predicted-order", ""),
            ([1], [2], "predicted", ""),
            (3, 4, "predicted", ""),
        ],
    )
    def test_the_first_difference_is_told(self, answer: object, right: object, how: str, place: str) -> None:
        assert difference(answer, right) == (how, place)


class TestChoice:
    CHECKS = """
from course.grader.kinds.choice import Item

def items(seed):
    for name in ("x", "y", "z"):
        yield Item(name, "all", name, ("layer", "none"), "layer", ("up", "down"), "up", {"spelt": "none"})
"""

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        return made(tmp_path / "e", "choice", self.CHECKS, "all = 1")

    def test_class_and_reason_must_both_be_right(self, exercise: Exercise) -> None:
        kind = kind_of(exercise)
        right = json.loads(kind.submission(exercise, None, "s"))["answers"]
        wrong = {**right, "x": {"is": "layer", "because": "a" if right["x"]["because"] == "b" else "b"}}

        assert graded(exercise, document("answers", right)).passed
        assert not graded(exercise, document("answers", wrong)).passed

    def test_a_wrong_class_betrays_its_misconception(self, exercise: Exercise) -> None:
        result = graded(exercise, document("answers", {"x": {"is": "none", "because": "a"}}))

        assert "spelt" in {group.failure.because for group in result.groups if group.failure}

    def test_a_group_of_two_items_is_a_fault(self, tmp_path: Path) -> None:
        checks = self.CHECKS.replace('("x", "y", "z")', '("x", "y")')
        exercise = made(tmp_path / "two", "choice", checks, "all = 1")

        assert list(kind_of(exercise).faults(exercise, "s")) == ["group 'all' has 2 items; 3 are the fewest"]


class TestLayers:
    CHECKS = """
from course.check import Question, Text, held

def questions(seed):
    yield Question("plan", "needed", Text("question", {"classes": "x"}), list[str], ["/bin/sh"])

def judge(plan, seed):
    yield held("needed", "/lib/ld.so" in plan, shown="/bin/sh needs /lib/ld.so")
    yield held("small", len(plan) < 3)
"""

    def test_constraints_judge_a_plan(self, tmp_path: Path) -> None:
        exercise = made(tmp_path / "e", "layers", self.CHECKS, "needed = 1\nsmall = 1")

        assert graded(exercise, document("plan", ["/lib/ld.so"])).passed
        assert passed(graded(exercise, document("plan", ["/bin/sh"]))) == {"needed": False, "small": True}
        assert graded(exercise, document("plan", "/lib/ld.so")).points == 0


DOCKERFILE_CHECKS = """
from course.check import held

STARTER = ["FROM scratch"]

def lines(seed):
    return ["FROM busybox", "RUN echo hi > /hi", "RUN rm /hi"]

def judge(attempt, starter):
    yield held("there", "/hi" in attempt.paths, shown=attempt.line_of("RUN"))
    yield held("kept", starter.paths <= attempt.paths)
"""


class TestDockerfile:
    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        groups = "there = 1\nkept = { points = 1, preserves = true }"
        files = {"starter.Dockerfile": "FROM scratch\nCOPY a /a\n", "given/a": "a"}
        return made(tmp_path / "e", "dockerfile", DOCKERFILE_CHECKS, groups, files=files, keys="seconds = 5")

    def test_a_dockerfile_is_built_with_the_given_files(self, exercise: Exercise) -> None:
        result = graded(exercise, "FROM busybox\nCOPY a /a\nRUN echo hi > /hi\n")

        assert result.passed
        assert result.isolation is Isolation.CHILD

    def test_what_preserves_pays_only_beside_what_improves(self, exercise: Exercise) -> None:
        result = graded(exercise, "FROM busybox\nCOPY a /a\n")

        assert passed(result) == {"there": False, "kept": True}
        assert result.points == 0

    def test_one_that_does_not_build_says_where(self, exercise: Exercise) -> None:
        result = graded(exercise, "FROM busybox\nCOPY b /b\n")

        assert result.points == 0
        assert result.groups[0].failure is not None
        assert "Dockerfile:2" in str(result.groups[0].failure.shown)

    def test_a_run_that_never_ends_does_not_hold_the_grader(self, tmp_path: Path) -> None:
        files = {"starter.Dockerfile": "FROM scratch\n"}
        exercise = made(
            tmp_path / "loop", "dockerfile", DOCKERFILE_CHECKS, "there = 1\nkept = 1", files=files,
            keys="seconds = 1",
        )  # fmt: skip

        result = graded(exercise, "FROM busybox\nRUN while true; do :; done\n")

        assert result.refused is not None
        assert result.refused[0] in {"too-slow-child", "too-much"}

    def test_what_is_not_text_is_refused(self, exercise: Exercise) -> None:
        conditions = Conditions(Isolation.NONE, 4.0)

        result = grade_bytes(exercise, b"FROM \xff\n", seed="s", conditions=conditions)

        assert result.refused is not None
        assert result.refused[0] == "not-text"


class TestParsons:
    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        return made(tmp_path / "e", "parsons", DOCKERFILE_CHECKS, "there = 1\nkept = 1", keys="seconds = 5")

    def test_lines_in_a_right_order_pass(self, exercise: Exercise) -> None:
        assert graded(exercise, document("order", ["FROM busybox", "RUN echo hi > /hi"])).passed

    def test_the_order_decides(self, exercise: Exercise) -> None:
        order = ["FROM busybox", "RUN echo hi > /hi", "RUN rm /hi"]

        assert passed(graded(exercise, document("order", order)))["there"] is False

    @pytest.mark.parametrize(
        ("order", "how"),
        [
            (["FROM busybox", "FROM busybox"], "line-twice"),
            (["FROM debian"], "line-unknown"),
            ("FROM busybox", "form"),
            (["RUN echo hi > /hi"], "build"),
        ],
    )
    def test_what_is_no_order_of_the_lines_is_told(self, exercise: Exercise, order: object, how: str) -> None:
        failure = graded(exercise, document("order", order)).groups[0].failure

        assert failure is not None
        assert failure.how == how


class TestYaml:
    CHECKS = """
from course.check import held
from course.grader.kinds.yaml import place

def judge(documents, starter):
    root = documents[0].root if documents else {}
    spec = root.get("spec", {}) if isinstance(root, dict) else {}
    yield held("user", spec.get("runAsNonRoot") is True, shown=place("spec", "runAsNonRoot"))
"""

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        files = {"starter.yaml": "spec: {}\n"}
        return made(tmp_path / "e", "yaml", self.CHECKS, "user = 1", files=files, keys="seconds = 5")

    def test_documents_are_judged_by_their_fields(self, exercise: Exercise) -> None:
        assert graded(exercise, "---\nspec:\n  runAsNonRoot: true\n").passed
        assert not graded(exercise, "spec: {}\n").passed

    @pytest.mark.parametrize("text", ["a: [", "a: &x [*x]", "\t- a", "a: 1\na: 2\n", "\x00"])
    def test_what_is_not_yaml_is_refused(self, exercise: Exercise, text: str) -> None:
        result = graded(exercise, text)

        assert result.refused is not None
        assert result.refused[0] == "not-yaml"


class TestMutants:
    CHECKS = """
FUNCTION = "f"
SPECIMENS = {"first": "first.py", "second": "second.py"}

def oracle(word):
    return word.strip().lower()

def is_question(word):
    return isinstance(word, str)
"""
    FILES: ClassVar = {
        "specimens/first.py": "def f(word):\n    return word.lower()\n",
        "specimens/second.py": "def f(word):\n    return word.strip()\n",
    }

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        groups = "agrees = 1\nfirst = 1\nsecond = 1"
        return made(tmp_path / "e", "mutants", self.CHECKS, groups, files=self.FILES, keys="seconds = 5")

    def cases(self, *cases: object) -> str:
        return document("cases", list(cases))

    def test_a_suite_that_tells_both_apart_passes(self, exercise: Exercise) -> None:
        both = self.cases({"args": [" a"], "expected": "a"}, {"args": ["A"], "expected": "a"})

        assert graded(exercise, both).passed

    def test_a_survivor_is_named(self, exercise: Exercise) -> None:
        result = graded(exercise, self.cases({"args": ["A"], "expected": "a"}))

        assert passed(result) == {"agrees": True, "first": False, "second": True}

    def test_a_case_that_is_not_true_kills_nothing(self, exercise: Exercise) -> None:
        result = graded(exercise, self.cases({"args": ["A"], "expected": "B"}))

        assert result.points == 0
        assert result.groups[0].failure is not None
        assert result.groups[0].failure.how == "contradicts"

    def test_pairs_say_whether_two_answers_are_the_same(self, exercise: Exercise) -> None:
        pairs = self.cases(
            {"args": [" a"], "and": ["a"], "same": True}, {"args": ["A"], "and": ["a"], "same": True}
        )

        assert graded(exercise, pairs).passed

    @pytest.mark.parametrize(
        ("cases", "how"),
        [
            ([], "no-cases"),
            ("A", "no-cases"),
            ([{"args": ["A"]}], "form"),
            ([{"args": "A", "expected": "a"}], "form"),
            ([{"args": ["A"], "expected": "a"}] * 13, "too-many-cases"),
            ([{"args": [1], "expected": 1}], ""),
            ([{"args": [], "expected": 1}], ""),
        ],
    )
    def test_what_is_no_suite_is_told(self, exercise: Exercise, cases: object, how: str) -> None:
        failure = graded(exercise, document("cases", cases)).groups[0].failure

        assert failure is not None
        assert failure.how == how
        assert (failure.because == "not-a-question") == (how == "")


class TestPairs:
    CHECKS = """
FUNCTION = "f"
SPECIMENS = {"first": "first.py"}

def alike(args, others):
    return args[0].lower() == others[0].lower()

def is_question(word):
    return isinstance(word, str)
"""
    FILES: ClassVar = {"specimens/first.py": "def f(word):\n    return word\n"}

    @pytest.fixture
    def exercise(self, tmp_path: Path) -> Exercise:
        groups = "agrees = 1\nfirst = 1"
        return made(tmp_path / "e", "mutants", self.CHECKS, groups, files=self.FILES, keys="seconds = 5")

    @pytest.mark.parametrize(
        ("case", "points", "how"),
        [
            ({"args": ["a"], "and": ["A"], "same": True}, 2, ""),
            ({"args": ["a"], "and": ["b"], "same": False}, 1, "survives"),
            ({"args": ["a"], "and": ["A"], "same": False}, 0, "should-be-same"),
            ({"args": ["a"], "and": ["b"], "same": True}, 0, "should-differ"),
            ({"args": ["a"], "expected": "a"}, 0, "form"),
        ],
    )
    def test_pairs_are_held_against_what_is_alike(
        self, exercise: Exercise, case: object, points: int, how: str
    ) -> None:
        result = graded(exercise, document("cases", [case]))

        assert result.points == points
        assert how == next((group.failure.how for group in result.groups if group.failure), "")


def test_checks_that_raise_are_a_sentence_for_the_author(tmp_path: Path) -> None:
    exercise = made(tmp_path / "e", "prediction", "def questions(seed):\n    1 / 0\n", "one = 1")

    with pytest.raises(
        ExerciseError, match=r"checks\.py:2: the exercise itself is broken: ZeroDivisionError"
    ):
        graded(exercise, document("answers", {}))


def test_checks_that_raise_in_the_child_are_a_sentence_too(tmp_path: Path) -> None:
    checks = "def judge(attempt, starter):\n    1 / 0\n"
    files = {"starter.Dockerfile": "FROM scratch\n"}
    exercise = made(tmp_path / "e", "dockerfile", checks, "one = 1", files=files, keys="seconds = 5")

    with pytest.raises(ExerciseError, match=r"the exercise itself is broken: ZeroDivisionError"):
        graded(exercise, "FROM scratch\n")


def test_a_group_that_nothing_judges_is_a_fault_of_the_exercise(tmp_path: Path) -> None:
    checks = TestLayers.CHECKS
    exercise = made(tmp_path / "e", "layers", checks, "needed = 1\nsmall = 1\nother = 1")

    with pytest.raises(ExerciseError, match="nothing was judged in the group 'other'"):
        graded(exercise, document("plan", []))
