"""``layerlab security`` from outside."""

from __future__ import annotations

import json

import pytest

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: c
    securityContext: {privileged: true}
"""


@pytest.fixture
def manifest(tmp_path):
    def write(text: str, name: str = "pod.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_pss_tells_the_level_and_every_violation_with_its_line(layerlab, manifest):
    path = manifest(POD)

    said = layerlab("security", "pss", path)

    assert said.status == 0
    assert said.out.splitlines()[1].split() == [str(path), "Pod/p", "privileged", "1", "4"]
    field = "spec.containers[0].securityContext.privileged"
    assert f"{path}:7: {field}: privileged (baseline): is true; must be false or unset" in said.out


def test_pss_as_json_has_every_document(layerlab, manifest):
    path = manifest(POD + "---\n" + POD.replace("privileged: true", "procMount: Unmasked"))

    said = layerlab("security", "pss", path, "--version", "v1.7", "--json")

    found = json.loads(said.out)
    assert [each["line"] for each in found] == [1, 9]
    assert [each["version"] for each in found] == ["v1.7", "v1.7"]
    assert [each["level"] for each in found] == ["privileged", "privileged"]
    assert found[1]["violations"][0] == {
        "check": "procMount",
        "level": "baseline",
        "file": str(path),
        "field": "spec.containers[0].securityContext.procMount",
        "line": 15,
        "found": "Unmasked",
        "wanted": "Default or unset",
    }


def test_a_required_level_that_is_not_met_is_status_1(layerlab):
    assert layerlab("security", "pss", "--approach", "kaniko", "--require", "baseline").status == 0
    assert layerlab("security", "pss", "--approach", "kaniko", "--require", "restricted").status == 1


def test_a_file_that_cannot_be_read_does_not_hide_the_others(layerlab, manifest, tmp_path):
    good, bad = manifest(POD), manifest("kind: Pod\n\tx: 1\n", "bad.yaml")

    said = layerlab("security", "pss", bad, tmp_path / "absent.yaml", good)

    assert said.status == 1
    assert said.err.splitlines() == [
        f"layerlab: {bad}:2: a tab cannot indent YAML",
        "  indent with spaces",
        f"layerlab: {tmp_path}/absent.yaml: cannot read it: No such file or directory",
    ]
    assert "Pod/p" in said.out


def test_a_file_without_a_pod_says_what_is_in_it(layerlab, manifest):
    path = manifest("apiVersion: v1\nkind: Service\n---\napiVersion: v1\nkind: ConfigMap\n")

    said = layerlab("security", "pss", path)

    assert (said.status, said.out, said.err) == (1, "", f"{path}: no pod in it (ConfigMap, Service)\n")


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["pss"], 2, "name a FILE"),
        (["pss", "--approach", "magic"], 1, "no such approach: magic"),
        (["pss", "--approach", "kaniko", "--version", "2.0"], 1, "write v1.0 to v1.37, or latest"),
    ],
)
def test_wrong_use_is_explained(layerlab, words, status, part):
    said = layerlab("security", *words)

    assert said.status == status
    assert part in said.err


def test_reach_lists_nodes_ways_and_reasons_of_both_starts(layerlab):
    said = layerlab("security", "reach", "--approach", "kaniko")

    assert said.status == 0
    assert "dockerfile_run → builder_files → reg_creds" in said.out
    assert "ci_job: chooses the command of the build pod's container" in said.out
    assert "C1, C1b, kaniko-2153, kaniko-readme" in said.out


def test_reach_of_one_node_is_a_path_step_by_step(layerlab):
    said = layerlab("security", "reach", "--approach", "docker-socket", "--to", "node_root")

    assert "dockerfile_run does not reach node_root" in said.out
    assert "ci_job → builder_process → runtime_socket" in said.out
    assert "every path passes builder_process, runtime_socket" in said.out


def test_reach_of_a_file_guesses_the_builder_or_asks_for_it(layerlab, manifest):
    unknown = layerlab("security", "reach", manifest(POD))
    told = layerlab("security", "reach", manifest(POD), "--builder", "docker-in-docker", "--json")

    assert (unknown.status, unknown.out) == (1, "")
    assert "say --builder docker-socket|" in unknown.err
    (found,) = json.loads(told.out)
    assert found["builder"] == "docker-in-docker"
    job = {each["node"]: each for each in found["starts"][1]["reaches"]}
    assert [step["to"] for step in job["host_fs"]["path"]] == [
        "builder_process",
        "pod_uid0",
        "sysadmin_host",
        "host_block_devices",
        "host_fs",
    ]


def test_cuts_are_named_with_what_they_cost(layerlab):
    said = layerlab("security", "reach", "--approach", "docker-in-docker", "--cut", "node_root")

    assert "set hostUsers: false (user-namespace)" in said.out
    assert "costs: kernel 6.3 and a runtime that maps ids" in said.out
    none = layerlab("security", "reach", "--approach", "docker-socket", "--cut", "node_root")
    assert "no few controls that docker-socket can live with cut it" in none.out


def test_reach_leaves_out_the_pods_of_a_file_in_which_nothing_builds(layerlab, manifest):
    plain = POD.replace("name: c", "name: c\n    image: alpine").replace("name: p", "name: plain")
    path = manifest(plain + "---\n" + POD.replace("name: c", "name: c\n    image: kaniko"))

    said = layerlab("security", "reach", path, "--json")

    assert [each["builder"] for each in json.loads(said.out)] == ["kaniko"]
    assert "Pod/plain is left out" in said.err


def test_a_forbidden_node_is_status_1_only_if_it_is_reached(layerlab):
    words = ("security", "reach", "--approach", "kaniko-hardened", "--forbid", "node_root")

    assert layerlab(*words).status == 0
    assert layerlab(*words, "--versions", "runc=1.2.7").status == 1


def test_two_pods_and_two_settings_are_compared(layerlab):
    pods = layerlab("security", "reach", "--approach", "docker-socket", "--versus-approach", "kaniko")
    settings = layerlab("security", "reach", "--approach", "kaniko", "--versus-set", "sa_powerful", "--json")

    (lost,) = [line for line in pods.out.splitlines() if line.startswith("ci_job no longer reaches: ")]
    assert "runtime_socket" in lost
    assert [each["gained"] for each in json.loads(settings.out)] == [["cluster_control"], ["cluster_control"]]


def test_a_builder_that_cannot_work_is_told_of(layerlab):
    said = layerlab("security", "reach", "--approach", "no-run", "--builder", "kaniko")

    assert said.status == 0
    assert "this builder cannot work in this pod: it unpacks images over its own root" in said.err


def test_settings_are_listed(layerlab):
    said = layerlab("security", "reach", "--facts")

    assert "sa_powerful" in said.out
    assert "cve_2026_33747" in said.out


def test_approaches_are_listed_and_printed(layerlab):
    assert "buildah-rootless" in layerlab("security", "approaches").out
    assert "kind: Pod" in layerlab("security", "approaches", "kaniko").out
    assert len(json.loads(layerlab("security", "approaches", "--json").out)) == 14


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--to", "node_roof"], "did you mean 'node_root'?"),
        (["--builder", "magic"], "no such kind of builder: magic"),
        (["--set", "sa_powerfull"], "did you mean 'sa_powerful'?"),
        (["--versions", "runc"], "'runc' is not COMPONENT=VERSION"),
    ],
)
def test_a_wrong_name_is_told_from_the_right_one(layerlab, words, part):
    said = layerlab("security", "reach", "--approach", "kaniko", *words)

    assert said.status == 1
    assert part in said.err


def test_check_looks_at_dockerfiles_and_manifests(layerlab, project, manifest):
    directory = project(
        "# syntax=docker/dockerfile:1\nARG BASE=alpine\nFROM ${BASE}:3.19 AS a\nFROM a\nCOPY --from=a /x /y\n"
        "COPY --from=busybox /x /y\nENV API_TOKEN=1\n"
    )

    said = layerlab("security", "check", directory, manifest(POD.replace("name: c", "image: x:1")), "--json")

    found = [(each["where"], each["rule"]) for each in json.loads(said.out)]
    assert said.status == 1
    assert found[:4] == [
        (f"{directory}/Dockerfile:1", "frontend-not-pinned"),
        (f"{directory}/Dockerfile:3", "image-not-pinned"),
        (f"{directory}/Dockerfile:6", "image-not-pinned"),
        (f"{directory}/Dockerfile:7", "secret-in-image"),
    ]
    assert [rule for _, rule in found[4:]] == ["image-not-pinned"]


def test_check_finds_nothing_in_what_is_careful(layerlab, project):
    said = layerlab("security", "check", project("FROM scratch\nCOPY x /\n"))

    assert (said.status, said.out, said.err) == (0, "", "nothing found\n")


def test_check_goes_on_after_a_file_that_cannot_be_read(layerlab, project, tmp_path):
    said = layerlab("security", "check", tmp_path / "absent.yaml", project("FROM alpine\n"))

    assert said.status == 1
    assert "absent.yaml: cannot read it" in said.err
    assert "Dockerfile:1: alpine has no digest" in said.out


TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  volumes: [{name: s, hostPath: {path: /run}}]
  steps:
  - name: build
    image: gcr.io/kaniko-project/executor:v1.9.0
    volumeMounts: [{name: s, mountPath: /run}]
"""


def test_the_pods_of_tektons_tasks_are_judged_where_they_are_written(layerlab, manifest):
    path = manifest(TASK)

    judged = layerlab("security", "pss", path)
    reached = layerlab("security", "reach", path, "--forbid", "node_root")
    checked = layerlab("security", "check", path)

    assert f"{path}:7: spec.steps[0].securityContext.runAsNonRoot: runAsNonRoot (restricted)" in judged.out
    assert (reached.status, "Task/t, Kaniko (kaniko)" in reached.out) == (1, True)
    assert f"{path}:5: spec.volumes[0].hostPath: the hostPath /run gives /run/docker.sock" in checked.out


def test_a_task_that_makes_no_pod_is_told_why(layerlab, manifest):
    path = manifest(TASK.replace("steps:", "stepz:"))

    said = layerlab("security", "pss", path)

    assert said.status == 1
    assert f"{path}:4: spec: a task needs at least one step" in said.err


def test_a_directory_is_the_manifests_below_it(layerlab, tmp_path):
    folder = tmp_path / "deploy"
    (folder / "more").mkdir(parents=True)
    (folder / "b.yml").write_text(POD)
    (folder / "more" / "a.yaml").write_text(POD)
    (folder / "notes.txt").write_text("not: [yaml")
    empty = tmp_path / "empty"
    empty.mkdir()

    said = layerlab("security", "pss", folder, "--json")

    assert [each["file"] for each in json.loads(said.out)] == [f"{folder}/b.yml", f"{folder}/more/a.yaml"]
    assert layerlab("security", "pss", empty).err == f"layerlab: {empty}: cannot read it: Is a directory\n"


def test_check_takes_a_directory_for_its_dockerfile_and_its_manifests(layerlab, project):
    pod = POD.replace("- name: c", "- name: c\n    image: x")
    directory = project("FROM alpine\n", **{"pod.yaml": pod})

    said = layerlab("security", "check", directory)

    assert f"{directory}/Dockerfile:1: alpine has no digest" in said.out
    assert f"{directory}/pod.yaml:7: spec.containers[0].image: x has no digest" in said.out
