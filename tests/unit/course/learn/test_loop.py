"""The learner's loop: start, check, watch, hint, next, predict, progress, reset, in both languages."""

from __future__ import annotations

import io
import json
import shutil
import tomllib
from pathlib import Path

import click
import nbformat
import pytest

from course.catalogue import Catalogue, help_texts
from course.cli import run
from course.exercise import Course
from course.learn import WORDS, command
from course.learn.watch import changes
from course.progress import Progress

RESOLVE = Course().find("1.3").folder
NEEDS_SOLUTION = RESOLVE / "reference.py"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    return place


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_learn_alone_says_where_you_are_and_what_is_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn"]) == 0

    said = capsys.readouterr().out
    assert "0 of " in said
    assert "Next: 1.1" in said
    assert "layerlab learn start 1.1" in said


def test_a_language_before_the_word_holds_for_it_unless_it_says_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["learn", "--lang", "zh", "start", "1.1", "a"]) == 0
    assert run(["learn", "--lang", "zh", "start", "--lang", "en", "1.1", "b"]) == 0

    assert "先读" in capsys.readouterr().out
    assert "一个程序" in Path("a/README.md").read_text(encoding="utf-8")
    assert "What does a program need?" in Path("b/README.md").read_text(encoding="utf-8")


def test_a_course_before_the_word_holds_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "--course", str(tmp_path / "none"), "list"]) == 1

    assert "no such folder of exercises" in capsys.readouterr().err


def test_next_starts_what_is_next_and_then_says_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "next"]) == 0
    assert Path("1.1-minimal-rootfs/plan.json").is_file()
    capsys.readouterr()

    assert run(["learn", "next"]) == 0

    assert "You began it" in capsys.readouterr().out


def test_what_builds_on_a_solved_exercise_comes_next_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(tmp_path / "state")
    progress.checked("1.1", 100, 100, "")

    run(["learn"])

    said = capsys.readouterr().out
    assert "Next: 1.4" in said
    assert "It builds on 1.1" in said


def test_check_and_hint_without_an_id_mean_what_was_started_last(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(["learn", "start", "1.3"])
    run(["learn", "start", "2.1"])
    capsys.readouterr()

    assert run(["learn", "check"]) == 1
    assert run(["learn", "hint"]) == 0

    said = capsys.readouterr().out
    assert "what a change brings up" in said
    assert "What failed last: what a change brings up" in said
    assert "Hint 1 of 3" in said


def test_check_without_anything_started_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "check"]) == 1

    assert "layerlab learn next" in capsys.readouterr().err


def test_a_solved_exercise_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    run(["learn", "start", "1.3"])
    shutil.copy(NEEDS_SOLUTION, "1.3-resolve/resolve.py")

    assert run(["learn", "check", "1.3"]) == 0
    capsys.readouterr()
    run(["learn", "progress", "--json"])

    row = next(row for row in json.loads(capsys.readouterr().out) if row["id"] == "1.3")
    assert (row["state"], row["best"], row["of"]) == ("solved", 100, 100)


def test_what_a_submission_prints_is_shown_and_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("resolve.py").write_text("def resolve(path, layers):\n    print('\\x1b[31mred')\n    return None\n")

    run(["learn", "check", "1.3", "resolve.py"])

    said = capsys.readouterr().out
    assert "\\x1b[31mred" in said
    assert "\x1b" not in said


def test_what_a_submission_raises_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Path("resolve.py").write_text("def resolve(path, layers):\n    raise ValueError('\\x1b]0;title\\x07')\n")

    run(["learn", "check", "1.3", "resolve.py"])
    run(["learn", "check", "1.3", "resolve.py", "--json"])

    said = capsys.readouterr().out
    assert "ValueError" in said
    assert "\x1b" not in said


def test_watch_grades_again_when_the_file_is_saved(tmp_path: Path) -> None:
    file = tmp_path / "file"
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        if 0.8 < now[0] < 1.0:
            file.write_text("saved")

    looks = list(changes(file, 2.0, sleep, lambda: now[0]))

    assert len(looks) == 2


def test_watch_ends_when_the_exercise_is_solved(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(NEEDS_SOLUTION, "resolve.py")

    assert run(["learn", "watch", "1.3", "resolve.py"]) == 0

    assert "100 of 100 points" in capsys.readouterr().out


def test_watch_shows_one_thing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    run(["learn", "start", "1.3"])
    capsys.readouterr()

    assert run(["learn", "watch", "1.3", "--for", "0"]) == 1

    said = capsys.readouterr().out
    assert "0 of 100 points" in said
    assert said.count("✗") == 1


class TestPredict:
    def test_the_answer_is_sealed_before_it_is_told(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        typed(monkeypatch, "/etc dir\n\n80\n")

        assert run(["learn", "predict", "2.1", "--only", "whiteout"]) == 0

        said = capsys.readouterr().out
        sealed, told = said.split("Sealed: ")
        assert '"/etc/hosts": "whiteout"' not in sealed
        assert '"/etc/hosts": "whiteout"' in told
        assert "Deleting adds something" in told
        assert "$ rm /etc/hosts   → copy-up /etc (0 B), whiteout /etc/hosts" in told

    def test_nothing_predicted_tells_nothing(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        typed(monkeypatch, "")

        assert run(["learn", "predict"]) == 1

        assert "whiteout /etc/hosts" not in capsys.readouterr().out

    def test_inverted_it_takes_any_right_operations(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        lines = "rm -r /srv\nmkdir /srv\necho anything > /srv/new.txt\n\n"
        typed(monkeypatch, lines)

        assert run(["learn", "predict", "--invert", "--only", "opaque"]) == 0

        assert "1 of 1 predictions were right" in capsys.readouterr().out

    def test_progress_shows_accuracy_gain_and_confidence(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for phase, answer in (("--before", "7"), ("--after", "")):
            question = next(
                question
                for question in Course().find("1.4").checks.questions(Course().find("1.4").seed(phase[2:]))
                if question.name == "cat-1"
            )
            typed(monkeypatch, f"{answer or question.key}\n90\n")
            assert run(["learn", "predict", "1.4", phase, "--only", "cat-1"]) == 0
        capsys.readouterr()

        run(["learn", "progress"])

        said = capsys.readouterr().out
        assert "1.4: 0 % right before, 100 % after" in said
        assert "50 % of your predictions were right" in said
        assert "90 % sure" in said

    def test_a_function_cannot_be_predicted(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(["learn", "predict", "1.3"]) == 1

        assert "exercise 1.3 is not answered by predictions" in capsys.readouterr().err

    @pytest.mark.kernel
    def test_the_kernel_is_asked_and_agrees(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        typed(monkeypatch, "{}\n\n")

        assert run(["learn", "predict", "2.1", "--only", "any-upper", "--real"]) == 0

        assert "The kernel's overlayfs leaves the same." in capsys.readouterr().out


def test_an_exercise_opens_as_a_notebook_with_the_same_checks(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "start", "1.3", "--notebook"]) == 0

    page = nbformat.read("1.3-resolve/resolve.ipynb", as_version=4)
    nbformat.validate(page)
    assert "".join(page.cells[1].source).startswith("%%writefile resolve.py\n")
    assert page.cells[1].source.partition("\n")[2] == Path("1.3-resolve/resolve.py").read_text().rstrip()
    assert "-m course learn check 1.3 resolve.py" in page.cells[2].source


def test_lines_to_be_ordered_come_with_a_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "start", "5.1R", "--lang", "zh"]) == 0

    folder = Path("5.1R-order-two-stages")
    order = json.loads((folder / "order.json").read_text())["order"]
    page = (folder / "order.html").read_text(encoding="utf-8")
    assert all(json.dumps(line, ensure_ascii=False) in page for line in order)
    assert "order.html" in capsys.readouterr().out


def test_the_groups_own_hint_comes_first_and_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shutil.copytree(RESOLVE, tmp_path / "course" / "resolve")
    text = folder / "text.en.toml"
    text.write_text(text.read_text().replace("[groups.top-first]\n", '[groups.top-first]\nhint = "Up!"\n'))
    course = ["--course", str(tmp_path / "course")]
    Path("resolve.py").write_text("def resolve(path, layers):\n    return None\n")
    run(["learn", "check", "1.3", "resolve.py", *course])
    capsys.readouterr()

    run(["learn", "hint", "1.3", *course])
    first = capsys.readouterr().out
    run(["learn", "hint", "1.3", *course])

    assert "Up!" in first
    assert "Hint 1 of 3" in capsys.readouterr().out


def test_reset_keeps_the_old_file_and_forgets(capsys: pytest.CaptureFixture[str]) -> None:
    run(["learn", "start", "1.3"])
    run(["learn", "hint", "1.3"])
    Path("1.3-resolve/resolve.py").write_text("mine\n")

    assert run(["learn", "reset", "1.3"]) == 0

    assert Path("1.3-resolve/resolve.1.py").read_text() == "mine\n"
    assert "def resolve" in Path("1.3-resolve/resolve.py").read_text()
    capsys.readouterr()
    run(["learn", "hint", "1.3"])
    assert "Hint 1 of 3" in capsys.readouterr().out


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 2, "exercises": []}'])
def test_a_broken_or_older_record_counts_as_nothing_done(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "learn.json").write_bytes(broken)

    assert run(["learn"]) == 0
    assert run(["learn", "hint", "1.3"]) == 0


def test_another_course_has_its_own_progress(tmp_path: Path) -> None:
    mine, other = Progress(tmp_path), Progress(tmp_path, "/srv/course:")

    other.checked("1.3", 5, 5, "")

    assert mine.state("1.3") == "new"
    assert mine.current() is None
    assert other.state("1.3") == "solved"


@pytest.mark.parametrize("words", [[], ["list"], ["start", "2.1"], ["next"], ["hint", "1.3"], ["progress"]])
def test_every_sentence_of_learn_is_there_in_chinese(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["learn", *words, "--lang", "zh"]) == 0

    said = capsys.readouterr().out
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)
    assert "Next:" not in said


def test_every_word_and_option_is_helped_with_in_chinese() -> None:
    texts = help_texts("zh")
    context = click.Context(command)
    for word in WORDS:
        found = command.get_command(context, word)
        assert found is not None
        assert found.name in texts
        for param in found.params:
            if isinstance(param, click.Option):
                assert "--" + max((name.lstrip("-") for name in param.opts), key=len) in texts


def test_options_before_the_word_hold_for_the_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["learn", "--lang", "zh", "start", "6.3"]) == 0
    said = capsys.readouterr().out
    assert "先读 README.md" in said
    assert said.rstrip().endswith("dead_bytes.py --lang zh")
    assert "预测" in Path("6.3-dead-bytes/README.md").read_text(encoding="utf-8")

    run(["learn", "--lang", "zh", "hint", "6.3", "--lang", "en"])

    assert "Hint 1 of 3" in capsys.readouterr().out


def test_a_right_word_in_other_letters_is_not_called_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    run(["learn", "start", "8.2"])
    file = Path("8.2-attack-path/answers.json")
    file.write_text(file.read_text().replace('"reached-kaniko": null', '"reached-kaniko": "No"'))
    capsys.readouterr()

    run(["learn", "check", "8.2"])

    assert 'write no, not "No"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("exercise", "document", "sentence"),
    [
        ("6.4", {"plan": {"search": "alpine"}}, "form"),
        ("7.2", {"order": ["COPY . /src/"]}, "build"),
        ("7.2", {"order": "FROM alpine:3.19"}, "form"),
        ("7.2", {"order": ["FROM elsewhere"]}, "line-unknown"),
        ("7.2", {"order": ["FROM alpine:3.19", "FROM alpine:3.19"]}, "line-twice"),
    ],
)
def test_what_cannot_be_judged_is_told_for_every_group(
    exercise: str, document: dict[str, object], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    handed_in = {"exercise": exercise, "seed": "practice", **document}
    Path("answer.json").write_text(json.dumps(handed_in), encoding="utf-8")

    assert run(["learn", "check", exercise, "answer.json", "--json"]) == 1

    told = Catalogue.read("en")(f"unjudged.{sentence}")
    tests = json.loads(capsys.readouterr().out)["tests"]
    assert tests
    assert all(test["message"].startswith(told) for test in tests)


def test_help_is_chinese_where_the_environment_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")

    run(["learn", "watch", "--help"])

    said = capsys.readouterr().out
    assert "每次保存 FILE 都重新评分" in said
    assert "layerlab learn watch 1.3" in said


@pytest.mark.parametrize(
    ("words", "status", "wanted"),
    [
        (["check", "9.9"], 1, "没有练习 9.9"),
        (["reset"], 2, "缺少参数 'ID'"),
        (["frob"], 2, "没有命令 frob"),
        (["check", "--nope"], 2, "没有选项 --nope"),
        (["watch", "1.1", "--for", "soon"], 2, "'--for' 的值不对"),
        (["check", "1.1", "a", "b"], 2, "命令有误"),
    ],
)
def test_wrong_usage_is_told_in_chinese_where_the_environment_is(
    words: list[str],
    status: int,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")

    assert run(["learn", *words]) == status

    said = capsys.readouterr().err
    assert wanted in said
    assert "Error" not in said


def test_every_isolation_kind_and_reason_has_a_sentence() -> None:
    say = Catalogue.read("en")

    from course.grader.kind import Isolation

    assert {f"isolations.{each.value}" for each in Isolation} <= say.ids()
    assert tomllib.loads((Path(__file__).parents[4] / "course/catalogue/zh.toml").read_text("utf-8"))
