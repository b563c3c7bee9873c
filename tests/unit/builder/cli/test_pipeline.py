"""``layerlab pipeline`` from outside."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  params: [{name: version}]
  steps:
  - image: alpine
    script: echo $(params.versoin)
"""


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text(TASK)
    return path


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "web"
    path.mkdir()
    (path / "Dockerfile").write_text("FROM alpine AS base\nRUN echo\nFROM base\n")
    return path


def test_check_names_file_line_field_and_rule(layerlab, task):
    said = layerlab("pipeline", "check", task)

    assert said.status == 1
    assert said.out.splitlines()[0] == (
        f"{task}:8: spec.steps[0].script: $(params.versoin): no param 'versoin' is declared "
        "(did you mean 'version'?) [unknown-param]"
    )
    assert "1 error, 1 warning" in said.err  # the image has no digest


def test_check_as_json_has_problems_and_pods(layerlab, task):
    said = layerlab("pipeline", "check", task, "--json")

    answer = json.loads(said.out)
    assert answer["problems"][0] | {"message": "", "fix": ""} == {
        "file": str(task),
        "line": 8,
        "field": "spec.steps[0].script",
        "rule": "unknown-param",
        "severity": "error",
        "message": "",
        "fix": "",
    }
    assert [(each["name"], each["level"]) for each in answer["pods"]] == [("t", "baseline")]


def test_warnings_fail_only_when_asked_to(layerlab, task):
    task.write_text(TASK.replace("versoin", "version") + "    timeout:\n")

    assert layerlab("pipeline", "check", task).status == 0
    assert layerlab("pipeline", "check", task, "--strict").status == 1


def test_a_level_that_pods_do_not_meet_fails_with_the_places(layerlab, task):
    task.write_text(TASK.replace("versoin", "version"))

    said = layerlab("pipeline", "check", task, "--require", "restricted")

    assert said.status == 1
    assert f"{task}:7: spec.steps[0].securityContext.allowPrivilegeEscalation: is unset" in said.out


def test_a_file_that_cannot_be_read_does_not_hide_the_others(layerlab, task, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [\n")

    said = layerlab("pipeline", "check", broken, task, tmp_path / "none.yaml")

    assert said.status == 1
    assert f"{broken}:2" in said.out
    assert "none.yaml: cannot read it" in said.out
    assert "versoin" in said.out


def test_files_without_anything_of_tekton_fail(layerlab, tmp_path):
    path = tmp_path / "pod.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\n")

    said = layerlab("pipeline", "check", path)

    assert (said.status, said.err) == (1, "no object of Tekton in it\n")


def test_write_makes_files_that_check_accepts(layerlab, project, tmp_path):
    out = tmp_path / "out"

    said = layerlab("pipeline", "write", project, "--builder", "buildah", "-o", out)

    assert said.status == 0
    assert sorted(path.name for path in out.iterdir()) == ["pipeline.yaml", "run.yaml", "task.yaml"]
    assert "name: web\n" in (out / "pipeline.yaml").read_text()
    assert layerlab("pipeline", "check", out).status == 0


def test_write_to_the_standard_output_is_one_file(layerlab, project, tmp_path):
    said = layerlab("pipeline", "write", project, "--target", "base", "--image", "registry.example.com/web:1")

    assert said.out.count("\n---\n") == 2
    assert "- --target=base\n" in said.out
    path = tmp_path / "all.yaml"
    path.write_text(said.out)
    assert layerlab("pipeline", "check", path).status == 0


def test_write_says_what_cannot_be_built(layerlab, project, tmp_path):
    assert "no such stage" in layerlab("pipeline", "write", project, "--target", "bild").err
    (tmp_path / "other").write_text("FROM scratch\n")
    said = layerlab("pipeline", "write", project, "-f", tmp_path / "other")
    assert said.status == 1
    assert "is not within" in said.err


def test_the_page_of_rules_lists_them_all(layerlab):
    from builder.security.tekton.rules import RULES

    said = layerlab("pipeline", "check", "--rules")

    assert said.out.count("\n") == len(RULES) + 2
    assert said.out in (Path(__file__).parents[4] / "docs" / "pipelines.md").read_text()


def test_check_says_what_a_hostile_build_gets(layerlab):
    said = layerlab("pipeline", "check", "--json", "examples/nginx/pipeline")

    (pod,) = json.loads(said.out)["pods"]
    assert pod["build"]["builder"] == "kaniko"
    assert (pod["build"]["node"], pod["build"]["node_by_job"], pod["build"]["credentials"]) == (
        False,
        False,
        True,
    )
    assert "reg_creds" in pod["build"]["assets"]


def test_check_warns_of_what_is_careless_in_pods_once(layerlab, tmp_path):
    (tmp_path / "task.yaml").write_text(
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n"
        "  params: [{name: builder, default: gcr.io/kaniko-project/executor}]\n"
        "  steps:\n  - {name: a, image: $(params.builder):v1.23.2}\n"
        "  - {name: b, image: alpine}\n"
    )

    said = layerlab("pipeline", "check", "--json", str(tmp_path))

    found = [(each["line"], each["rule"]) for each in json.loads(said.out)["problems"]]
    assert said.status == 0
    assert found == [(7, "archived-executor"), (7, "image-not-pinned"), (8, "image-not-pinned")]


def test_run_plays_the_example_and_what_was_pushed_serves(layerlab):
    said = layerlab("pipeline", "run", "--simulated", "examples/nginx/pipeline", "--repository", ".")
    answer = layerlab("run", "registry.example.com/nginx:main", "--get", "/")

    assert said.status == 0, said.err
    assert "Pushed registry.example.com/nginx:main into the local store: sha256:" in said.out
    assert "step build-and-push, in ghcr.io/osscontainertools/kaniko" in said.err
    assert "GET /: 200 OK" in answer.err


def test_run_as_json(layerlab, task, tmp_path):
    task.write_text(TASK.replace("versoin", "version").replace("echo", "exit 3; echo"))

    said = layerlab("pipeline", "run", "--simulated", "--json", "-q", "-p", "version=1", str(task))

    assert said.status == 1
    assert said.err == ""
    record = json.loads(said.out)
    assert (record["name"], record["state"]) == ("t-simulated", "Failed")
    assert record["tasks"][0]["steps"] == [{"name": "unnamed-0", "image": "alpine", "status": 3}]


def test_run_needs_to_be_told_that_it_is_simulated(layerlab, task):
    said = layerlab("pipeline", "run", str(task))

    assert said.status == 2
    assert "say --simulated" in said.err


def test_run_refuses_what_check_refuses(layerlab, task):
    said = layerlab("pipeline", "run", "--simulated", str(task))

    assert said.status == 1
    assert "no param 'versoin' is declared" in said.err
    assert said.out == ""


def test_check_says_which_builder_cannot_build_with_its_rights(layerlab, tmp_path):
    (tmp_path / "task.yaml").write_text(
        "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n  steps:\n"
        "  - {image: kaniko, securityContext: {runAsUser: 1000}}\n"
    )

    said = layerlab("pipeline", "check", str(tmp_path))

    assert "t: kaniko cannot build with these rights: it unpacks images over its own root" in said.out
