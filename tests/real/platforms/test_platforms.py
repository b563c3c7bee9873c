"""What is exported is taken by the platform's own program, and comes to the same marks.

The programs are large: ``make platforms`` gives them an environment of their own.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_class import MUTANT, RIGHT, course, handed_in, learn

from course.exercise import Course

ROOT = Path(__file__).parents[3]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    return tmp_path


def ran(*words: str) -> None:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def wrong_answer() -> tuple[str, int]:
    """A wrong answer to 1.3, and what it scores."""
    exercise = Course().find("1.3")
    part = exercise.part("mutants/no_opaque")
    assert part is not None
    (mutant,) = (mutant for mutant in exercise.mutants if mutant.name == "no_opaque")
    return part.read_text(), mutant.cap


def test_nbgrader_makes_grades_and_exports_the_assignment(place: Path) -> None:
    pytest.importorskip("nbgrader", reason="pip install nbgrader")
    source, cap = wrong_answer()
    learn("export", "1.3", "--to", "nbgrader", "-o", ".")
    (place / "nbgrader_config.py").write_text("get_config().CourseDirectory.course_id = 'c'\n")

    ran("-m", "nbgrader", "generate_assignment", "1-3-resolve", "--create")
    released = json.loads(Path("release/1-3-resolve/1-3-resolve.ipynb").read_text())
    for learner, answer in (("ada", source), ("lin", "def resolve(path, layers): ...\n")):
        for cell in released["cells"]:
            if "".join(cell["source"]).startswith("%%writefile"):
                cell["source"] = f"%%writefile resolve.py\n{answer}"
        folder = place / "submitted" / learner / "1-3-resolve"
        folder.mkdir(parents=True)
        (folder / "1-3-resolve.ipynb").write_text(json.dumps(released))
    ran("-m", "nbgrader", "autograde", "1-3-resolve", "--create")
    ran("-m", "nbgrader", "export")

    rows = {row["student_id"]: row for row in csv.DictReader(Path("grades.csv").read_text().splitlines())}
    assert 0 < float(rows["ada"]["score"]) <= cap
    assert float(rows["lin"]["score"]) == 0
    assert float(rows["ada"]["max_score"]) == 100
    handed_in(place / "in", ada=RIGHT)
    (place / "in/ada/resolve.py").write_text(source)
    learn("grade", "1.3", "in", "--patience", 4)
    learn("export", "results", "--to", "nbgrader", "-o", "ours.csv")
    ours = csv.DictReader(Path("ours.csv").read_text().splitlines())
    assert list(ours.fieldnames or ()) == list(rows["ada"])
    assert [float(row["score"]) for row in ours] == [float(rows["ada"]["score"])]


def test_otter_grades_by_the_exported_autograder(place: Path) -> None:
    pytest.importorskip("otter", reason="pip install otter-grader")
    course(place / "course")
    (place / "echo.py").write_text(MUTANT)
    (place / "out").mkdir()
    learn("export", "0.1", "--to", "otter", "-o", "autograder.zip", "--course", "course")

    ran("-m", "otter", "run", "-a", "autograder.zip", "-o", "out", "echo.py")

    results = json.loads((place / "out/results.json").read_text())
    assert [test["score"] for test in results["tests"] if test.get("max_score") == 5] == [2]


def test_a_reader_of_junit_xml_counts_as_we_do(place: Path) -> None:
    junitparser = pytest.importorskip("junitparser", reason="pip install junitparser")
    course(place / "course")
    handed_in(place / "in", ada=RIGHT, lin=MUTANT, eve="1/0\n")
    learn("grade", "0.1", "in", "--course", "course", "--patience", 4)
    learn("export", "results", "--to", "junit", "-o", "marks.xml", "--course", "course")

    suites = junitparser.JUnitXml.fromfile("marks.xml")

    assert (suites.tests, suites.failures, suites.errors) == (6, 1, 2)
    points = {
        suite.name: {each.name: each.value for each in suite.properties()}["points"] for suite in suites
    }
    assert points == {"ada": "5", "eve": "0", "lin": "2"}


def test_the_job_of_a_cluster_has_the_form_that_kubernetes_takes(place: Path) -> None:
    kubernetes = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")
    import yaml

    learn("export", "1.3", "--to", "kubernetes", "-o", "job.yaml")

    kubernetes.validate(yaml.safe_load(Path("job.yaml").read_text()), "1.30", strict=True)
