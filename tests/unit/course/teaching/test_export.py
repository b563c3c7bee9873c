"""Marks and graders for other programs: in the format that is documented, and without any answer."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from small_class import LOOP, MUTANT, RIGHT, course, handed_in, learn

from builder.security.checks import check_pod
from builder.security.documents import read
from builder.security.pods import pods_of
from builder.security.pss import Level, judge
from course.exercise import Exercise
from course.teaching.export import NAMES, PLATFORMS, Wishes, platform
from course.teaching.results import Results

ROOT = Path(__file__).parents[4]


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exercise:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    return course(tmp_path / "course")


@pytest.fixture
def results(echo: Exercise) -> Path:
    handed_in(Path("in"), ada=RIGHT, lin=MUTANT, eve="1/0\n")
    learn("grade", "0.1", "in", "--course", "course", "--patience", 4)
    return Path("results")


def export(source: object, name: str, output: str) -> Path:
    learn("export", source, "--to", name, "-o", output, "--course", "course")
    return Path(output)


def exported(results: Path, name: str) -> dict[str, object]:
    """Learner → the document of his result."""
    folder = export(results, name, f"{name}-marks")
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("*/*.json")}


def test_gradescope_is_told_as_its_specification_says(results: Path) -> None:
    told = exported(results, "gradescope")

    assert {learner: said["score"] for learner, said in told.items()} == {"ada": 5, "eve": 0, "lin": 2}  # type: ignore[index]
    for said in told.values():
        assert isinstance(said, dict)
        assert said["visibility"] in {"hidden", "after_due_date", "after_published", "visible"}
        assert said["output_format"] in {"text", "html", "simple_format", "md", "ansi"}
        assert sum(test["score"] for test in said["tests"]) == said["score"]
        assert {test["status"] for test in said["tests"]} <= {"passed", "failed"}
        assert said["extra_data"]["isolation"] in {"bubblewrap", "landlock", "none"}


def test_prairielearn_is_told_a_share_and_costs_no_attempt_for_what_cannot_be_judged(results: Path) -> None:
    told = exported(results, "prairielearn")

    assert told["ada"]["score"] == 1.0  # type: ignore[index]
    assert told["lin"]["score"] == 0.4  # type: ignore[index]
    assert told["eve"]["gradable"] is False  # type: ignore[index]
    assert "ZeroDivisionError" in told["eve"]["format_errors"]  # type: ignore[index]


def test_classroom50_is_told_points_that_add_up(results: Path) -> None:
    for said in exported(results, "classroom50").values():
        assert isinstance(said, dict)
        assert said["schema"] == "classroom50/result/v1"
        assert said["max-score"] == 5
        assert sum(test["score"] for test in said["tests"]) == said["score"]
        assert all(test.keys() == {"test-name", "passed", "score", "max-score"} for test in said["tests"])


def test_junit_counts_what_failed_and_says_why(results: Path) -> None:
    root = ElementTree.parse(export(results, "junit", "marks.xml")).getroot()

    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("6", "1", "2")
    failure = root.find(".//testsuite[@name='lin']//failure")
    assert failure is not None
    assert "word not same" in (failure.text or "")
    points = root.find(".//testsuite[@name='lin']/testcase[@name='text']/properties/property[@name='points']")
    assert points is not None
    assert points.get("value") == "2"


@pytest.mark.parametrize(
    ("name", "file", "learner", "score"),
    [
        ("nbgrader", "grades.csv", "student_id", "score"),
        ("otter", "final_grades.csv", "file", "total_points_earned"),
    ],
)
def test_tables_have_the_columns_that_the_program_writes(
    results: Path, name: str, file: str, learner: str, score: str
) -> None:
    rows = list(csv.DictReader(export(results, name, "table.csv").read_text().splitlines()))

    assert {row[learner]: row[score] for row in rows} == {"ada": "5", "eve": "0", "lin": "2"}
    assert file in platform(name).marks(Exercise.read(Path("course")), Results(results, "0.1").read())


@pytest.mark.parametrize("name", NAMES)
def test_no_package_has_an_answer_in_it(echo: Exercise, name: str) -> None:
    if name == "junit":
        learn("export", "0.1", "--to", name, "-o", "x.zip", "--course", "course", status=1)
        return

    package = platform(name).package(echo, Wishes("s"))

    assert package
    ours = [path for path in package if "exercise/" in path]
    assert not any("always_one" in path or "/reference." in path for path in ours)
    for path, content in package.items():
        assert RIGHT.encode() not in content, path
        assert MUTANT.encode() not in content, path


def test_the_same_package_is_the_same_bytes(echo: Exercise) -> None:
    first = export("0.1", "gradescope", "one.zip").read_bytes()

    assert export("0.1", "gradescope", "two.zip").read_bytes() == first


HIJACK = "raise SystemExit('imported by the grader')\n"


@pytest.mark.parametrize("name", ["gradescope", "classroom50"])
def test_an_uploaded_package_grades_with_python_alone_and_imports_nothing_of_the_learner(
    echo: Exercise, name: str, tmp_path: Path
) -> None:
    package = export("0.1", name, f"{name}.zip")
    with zipfile.ZipFile(package) as archive:
        archive.extractall("source")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "echo.py").write_text(MUTANT)
    for module in ("json", "click", "course", "conftest"):
        (tmp_path / "sub" / f"{module}.py").write_text(HIJACK)
    env = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "PIP_NO_INDEX": "1", "ASSIGNMENT": "hw"}
    if name == "gradescope":
        command = ["sh", str(tmp_path / "source/grade.sh"), "sub", "out/result.json"]
        cwd, out = tmp_path, tmp_path / "out/result.json"
    else:
        command = [sys.executable, str(tmp_path / "source/autograder.py")]
        cwd, out = tmp_path / "sub", tmp_path / "sub/result.json"

    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)

    said = json.loads(out.read_text())
    assert said["score"] == 2, done.stderr
    assert said.get("assignment", "hw") == "hw"
    (tmp_path / "sub" / "echo.py").unlink()
    for module in ("json", "click", "course", "conftest"):
        (tmp_path / "sub" / f"{module}.py").unlink()
    subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False)
    assert json.loads(out.read_text())["score"] == 0


def test_a_notebook_asks_once_and_has_a_test_for_each_group(echo: Exercise) -> None:
    import nbformat

    folder = export("0.1", "nbgrader", "notebook")

    (path,) = folder.rglob("*.ipynb")
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    points = [cell.metadata.get("nbgrader", {}).get("points") for cell in notebook.cells]
    assert [each for each in points if each is not None] == [3, 2]


def test_the_job_of_a_cluster_meets_the_restricted_standard_and_all_checks(echo: Exercise) -> None:
    image = "registry.example.com/layerlab@sha256:" + "0" * 64
    text = platform("kubernetes").package(echo, Wishes("s", 7, image))["job.yaml"]
    job = yaml.safe_load(text)
    documents = read(text, "job.yaml")

    (pod,) = pods_of(documents)
    assert judge(pod).level is Level.RESTRICTED
    assert list(check_pod(pod)) == []
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == 7
    assert "$JOB_COMPLETION_INDEX/7" in job["spec"]["template"]["spec"]["containers"][0]["command"][2]


def pytest_run(cwd: Path, *words: str) -> tuple[int, str]:
    """pytest as somebody else runs it, with our plugin and no other."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "course.teaching.pytest_plugin", "-rA", *words],
        cwd=cwd,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_pytest_shows_groups_as_tests_of_a_file_that_it_does_not_import(
    echo: Exercise, tmp_path: Path
) -> None:
    handed_in(Path("in"), lin=MUTANT + "print('imported')\n", eve=LOOP)
    (tmp_path / "in/lin/conftest.py").write_text(HIJACK)

    status, said = pytest_run(
        tmp_path, "--layerlab", "0.1", "in/lin/echo.py", "--layerlab-course", "course", "--junit-xml=out.xml"
    )

    assert status == 1, said
    assert "1 failed, 1 passed" in said
    assert "word not same" in said
    assert "imported" not in said
    assert "Traceback" not in said
    points = {
        case.get("name"): {each.get("name"): each.get("value") for each in case.iter("property")}
        for case in ElementTree.parse("out.xml").iter("testcase")
    }
    assert points["text"] | {"isolation": ""} == {"points": "2", "max_points": "2", "isolation": ""}
    assert points["same"]["points"] == "0"


def test_pytest_says_in_a_sentence_what_is_wrong(echo: Exercise, tmp_path: Path) -> None:
    status, said = pytest_run(tmp_path, "--layerlab", "9.9", "echo.py", "--layerlab-course", "course")

    assert status == 2
    assert "no exercise '9.9'" in said
    assert "Traceback" not in said


def test_an_exported_test_file_grades_what_lies_beside_it(echo: Exercise, tmp_path: Path) -> None:
    Path("tests").mkdir()
    export("0.1", "pytest", "tests/test_layerlab.py")
    (tmp_path / "tests" / "echo.py").write_text(MUTANT)

    status, said = pytest_run(tmp_path, "tests/test_layerlab.py")

    assert status == 1, said
    assert "1 failed, 1 passed" in said
    assert "word not same" in said


def test_the_plugin_is_found_by_every_pytest_where_layerlab_is_installed() -> None:
    assert (
        '[project.entry-points.pytest11]\nlayerlab = "course.teaching.pytest_plugin"'
        in (ROOT / "pyproject.toml").read_text()
    )


def test_every_platform_is_one(echo: Exercise) -> None:
    assert len(NAMES) == len(PLATFORMS)
    assert all(platform(name) is not None for name in NAMES)
