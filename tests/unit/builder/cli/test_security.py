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

    said = layerlab("security", "pss", bad, tmp_path / "absent.yaml", tmp_path, good)

    assert said.status == 1
    assert said.err.splitlines() == [
        f"layerlab: {bad}:2: a tab cannot indent YAML",
        "  indent with spaces",
        f"layerlab: {tmp_path}/absent.yaml: cannot read it: No such file or directory",
        f"layerlab: {tmp_path}: cannot read it: Is a directory",
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
