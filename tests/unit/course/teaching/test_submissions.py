"""What platforms hand out is found, one submission a learner, and nothing else is read or written."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import pytest
from small_class import RIGHT, course

from builder.errors import BuildError
from course.exercise import Exercise
from course.grader.kind import SUBMISSION_BYTES
from course.teaching.results import file_stem
from course.teaching.roster import Roster, seed_of
from course.teaching.submissions import Found, UnusableError, find


@pytest.fixture
def echo(tmp_path: Path) -> Exercise:
    return course(tmp_path / "exercise")


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def found(exercise: Exercise, *places: Path) -> dict[str, bytes]:
    result = find(places, exercise, {})
    assert result.problems == []
    return {each.learner: each.read() for each in result.submissions}


def put(path: Path, text: str = RIGHT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_folders_files_and_zips_as_platforms_name_them(echo: Exercise, inbox: Path) -> None:
    put(inbox / "ada" / "echo.py")
    put(inbox / "Alan Turing_4711_assignsubmission_file_" / "my solution.py")  # Moodle
    put(inbox / "hopper_LATE_77_1234_echo.py")  # Canvas
    put(inbox / "lin" / "hw1" / "echo.py")  # nbgrader
    put(inbox / "grace.py")
    with zipfile.ZipFile(inbox / "edsger.zip", "w") as archive:
        archive.writestr("work/echo.py", RIGHT)
        archive.writestr("work/notes.txt", "")

    assert set(found(echo, inbox)) == {
        "ada",
        "Alan Turing_4711_assignsubmission_file_",
        "hopper_77",
        "lin",
        "grace",
        "edsger",
    }


def test_the_zip_of_a_class_is_read_without_unpacking(echo: Exercise, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("echo.py", "zipped")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("hw/ada/echo.py", "folder")
        archive.writestr("hw/lin.py", "file")
        archive.write(tmp_path / "inner.zip", "hw/edsger.zip")

    assert found(echo, tmp_path / "class.zip") == {"ada": b"folder", "lin": b"file", "edsger": b"zipped"}


def test_a_list_says_which_counts_whose_it_is_and_what_was_asked(echo: Exercise, tmp_path: Path) -> None:
    put(tmp_path / "a" / "echo.py", "first")
    put(tmp_path / "b" / "echo.py", "second")
    (tmp_path / "list.csv").write_text("# which counts\na,ada,s1\nb/echo.py,lin\n")

    result = find([tmp_path / "list.csv"], echo, {})

    assert [(each.learner, each.seed) for each in result.submissions] == [("ada", "s1"), ("lin", "")]


def test_two_submissions_of_one_learner_are_told_and_none_is_chosen(echo: Exercise, inbox: Path) -> None:
    put(inbox / "ada" / "echo.py", "one")
    put(inbox / "ada.py", "two")
    put(inbox / "lin" / "echo.py", "same")
    put(inbox / "lin.py", "same")

    result = find([inbox], echo, {})

    assert [each.learner for each in result.submissions] == ["lin"]
    assert len(result.problems) == 1
    assert "two submissions" in result.problems[0]
    assert "ada.py" in result.problems[0]


def test_nothing_is_opened_that_is_no_plain_file_of_the_learner(
    echo: Exercise, inbox: Path, tmp_path: Path
) -> None:
    put(tmp_path / "secret" / "echo.py", "secret")
    (inbox / "linked").symlink_to(tmp_path / "secret")
    (inbox / "ada").mkdir()
    (inbox / "ada" / "echo.py").symlink_to(tmp_path / "secret" / "echo.py")
    (inbox / "lin").mkdir()
    os.mkfifo(inbox / "lin" / "echo.py")
    os.mkfifo(inbox / "grace.py")
    link = zipfile.ZipInfo("echo.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(inbox / "edsger.zip", "w") as archive:
        archive.writestr(link, str(tmp_path / "secret" / "echo.py"))

    result = find([inbox], echo, {})

    assert len(result.problems) == 4
    assert [each.learner for each in result.submissions] == ["grace"]
    with pytest.raises(UnusableError, match="no regular file"):
        result.submissions[0].read()


def zip_of(path: Path, *members: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)


def test_zips_that_escape_or_explode_do_neither(echo: Exercise, inbox: Path, tmp_path: Path) -> None:
    zip_of(inbox / "escapes.zip", ("../../../escaped/echo.py", b"x"), ("/abs/echo.py", b"y"))
    zip_of(inbox / "explodes.zip", ("echo.py", bytes(50_000_000)))
    zip_of(inbox / "many.zip", *((f"{number}.py", b"") for number in range(1001)))
    (inbox / "broken.zip").write_bytes(b"PK\x03\x04 and no more")

    result = find([inbox], echo, {})

    sizes = {each.learner: len(each.read()) for each in result.submissions}
    assert sizes == {"escapes": 1, "explodes": SUBMISSION_BYTES + 1}
    assert [problem.split("/")[-1].split(":")[0] for problem in result.problems] == ["broken.zip", "many.zip"]
    assert not (tmp_path / "escaped").exists()


def test_what_is_no_submission_is_told(echo: Exercise, inbox: Path) -> None:
    put(inbox / "ada" / "readme.txt")
    put(inbox / "lin" / "one.py")
    put(inbox / "lin" / "two.py")
    put(inbox / "marks.xlsx")

    result = find([inbox], echo, {})

    assert result.submissions == []
    assert any("there is no echo.py" in problem for problem in result.problems)
    assert any("not clear which counts" in problem for problem in result.problems)
    assert any("marks.xlsx" in problem for problem in result.problems)


def test_a_roster_says_whose_a_folder_is(echo: Exercise, inbox: Path, tmp_path: Path) -> None:
    put(inbox / "submission_1" / "echo.py")
    (tmp_path / "roster.csv").write_text("learner,name,seed\nada,submission_1,s1\nlin,,\n")

    roster = Roster.read(tmp_path / "roster.csv")
    result: Found = find([inbox], echo, roster.names)

    assert [each.learner for each in result.submissions] == ["ada"]
    assert roster.learners == ("ada", "lin")
    assert roster.seeds == {"ada": "s1"}


@pytest.mark.parametrize(
    "text",
    [
        "who,seed\nada,1\n",
        "learner,name\n,x\n",
        "learner,name\nada,x\nlin,x\n",
        'learner\n"ada\n',
        "learner,seed\nada,1\nada,2\n",
        "learner\nada,1\n",
    ],
)
def test_a_roster_that_is_wrong_names_the_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(text)

    with pytest.raises(BuildError) as error:
        Roster.read(tmp_path / "roster.csv")

    assert str(tmp_path / "roster.csv") + ":" in str(error.value)


def test_each_learner_has_a_seed_of_his_own_that_the_secret_decides() -> None:
    seeds = {seed_of(secret, learner, "2.1") for secret in (b"a", b"b") for learner in ("ada", "lin")}

    assert len(seeds) == 4


@pytest.mark.parametrize(
    "name", ["..", "../../etc/passwd", "\x1b[31m", "a" * 5000, ".", "", "con/aux", "\udcff"]
)
def test_no_name_of_a_learner_leads_out_of_the_folder_of_results(name: str) -> None:
    stem = file_stem(name)

    assert stem
    assert len(stem) <= 80
    assert not stem.startswith(".")
    assert set(stem) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%_-")
