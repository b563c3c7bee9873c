"""``--provenance``, ``--sbom``, ``--cache-from``, ``--cache-to``, ``--why``: to the registry and back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from registry_served import host, served
from registry_stub import OPENED, registries

from builder.image.digest import digest_of
from builder.image.oci import Index

DOCKERFILE = "FROM alpine\nARG TOKEN=none\nRUN echo hello > /motd\nCOPY file /file\n"
SLSA, SPDX = "https://slsa.dev/provenance/v1", "https://spdx.dev/Document"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    with served(tmp_path / "registry") as server:
        yield host(server)
    while OPENED:
        OPENED.pop().http.close()


@pytest.fixture
def path(project: Callable[..., Path]) -> Path:
    return project(DOCKERFILE, file="x")


@pytest.fixture(autouse=True)
def docker_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))


def inspected(layerlab: Callable[..., Any], option: str, name: str = "web") -> dict[str, Any]:
    said = layerlab("inspect", option, name)
    assert said.status == 0, said.err
    (document,) = json.loads(said.out)
    return dict(document)


def test_provenance_names_dockerfile_bases_and_times(layerlab, path) -> None:
    layerlab("build", "-t", "web", "--provenance", "mode=min", "--timestamp", "1710000000", path)

    said = inspected(layerlab, "--provenance")

    parameters = said["buildDefinition"]["externalParameters"]
    assert parameters["dockerfile"]["digest"]["sha256"] == digest_of(DOCKERFILE.encode())[7:]
    (material,) = said["buildDefinition"]["resolvedDependencies"]
    assert material["uri"] == "pkg:docker/alpine@latest?platform=linux%2Famd64"
    assert said["runDetails"]["metadata"]["startedOn"] == "2024-03-09T16:00:00Z"


def test_what_a_url_answered_is_a_material(layerlab, project) -> None:
    url = "http://downloads.example.org/tally/tally-0.3.tar.gz"
    layerlab("build", "-t", "web", "--provenance", "min", project(f"FROM scratch\nADD {url} /\n"))

    (material,) = inspected(layerlab, "--provenance")["buildDefinition"]["resolvedDependencies"]

    assert material["uri"] == url


@pytest.mark.parametrize(("mode", "told"), [("mode=min", False), ("true", False), ("mode=max", True)])
def test_build_arguments_are_told_by_max_only(layerlab, path, mode, told) -> None:
    layerlab("build", "-t", "web", "--provenance", mode, "--build-arg", "TOKEN=s3cret", path)

    assert ("s3cret" in json.dumps(inspected(layerlab, "--provenance"))) is told


def test_a_secret_is_in_nothing_that_is_said(layerlab, project, tmp_path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    path = project("FROM alpine\nRUN --mount=type=secret,id=x cat /run/secrets/x > /dev/null\n")
    options = ("--provenance", "mode=max", "--sbom", "--secret", f"id=x,src={tmp_path}/secret")

    said = layerlab("build", "-t", "web", *options, path)

    assert said.status == 0, said.err
    for name in os.listdir(tmp_path / "state/blobs/sha256"):
        assert b"s3cret" not in (tmp_path / "state/blobs/sha256" / name).read_bytes()


def test_sbom_lists_the_packages_of_the_base(layerlab, path) -> None:
    layerlab("build", "-t", "web", "--sbom", path)

    assert "musl" in {each["name"] for each in inspected(layerlab, "--sbom")["packages"]}


def test_by_default_nothing_is_said_and_that_is_an_error_to_ask_for(layerlab, path) -> None:
    layerlab("build", "-t", "web", path)

    said = layerlab("inspect", "--sbom", "web")

    assert said.status == 1
    assert "layerlab build --sbom" in said.err


def test_a_word_that_is_no_mode_is_wrong_usage(layerlab, path) -> None:
    assert layerlab("build", "--provenance", "much", path).status == 2


def test_what_is_said_changes_neither_image_nor_list_nor_other_words(layerlab, path) -> None:
    plain = json.loads(layerlab("build", "--json", "-t", "plain", path).out)
    layerlab("build", "-t", "web", "--provenance", "max", "--sbom", path)

    listed = {each["name"]: each for each in json.loads(layerlab("images", "--json").out)}

    assert {**listed["web:latest"], "name": ""} == {**listed["plain:latest"], "name": ""}
    assert listed["web:latest"]["id"] == plain["id"]
    for words in (("history",), ("image", "tree"), ("image", "validate"), ("run",), ("tag",)):
        done = layerlab(
            *words, "web", *(["web:2"] if words == ("tag",) else ["true"] if words == ("run",) else [])
        )
        assert done.status == 0, done.err
    layerlab("image", "prune", "--cache")
    assert layerlab("inspect", "--sbom", "web").status == 0


def test_a_build_from_an_image_with_statements_takes_the_image(layerlab, path, project) -> None:
    layerlab("build", "-t", "web", "--sbom", path)

    assert layerlab("build", project("FROM web\nCOPY file /again\n", file="x")).status == 0


def test_pushed_it_is_an_index_whose_statements_are_about_the_image_there(layerlab, path, registry) -> None:
    layerlab("build", "-t", "web", "--provenance", "max", "--sbom", path)
    layerlab("push", "web", f"{registry}/web:1")

    repository = registries().to_push(registry, "web")
    document = repository.manifest("1")
    assert document is not None
    image, about = Index.parse(document.raw).manifests
    manifest = json.loads(repository.manifest(about.digest).raw)
    statements = [json.loads(repository.read(each)) for each in _layers(manifest)]

    assert str(about.platform) == "unknown/unknown"
    assert about.annotations == {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": image.digest,
    }
    assert manifest["artifactType"] == "application/vnd.docker.attestation.manifest.v1+json"
    assert manifest["config"]["data"] == "e30="
    assert manifest["subject"]["digest"] == image.digest
    assert [each["annotations"]["in-toto.io/predicate-type"] for each in manifest["layers"]] == [SLSA, SPDX]
    assert [each["predicateType"] for each in statements] == [SLSA, SPDX]
    assert {each["_type"] for each in statements} == {"https://in-toto.io/Statement/v1"}
    assert {each["subject"][0]["digest"]["sha256"] for each in statements} == {image.digest[7:]}
    assert [each.digest for each in repository.referrers(image.digest)] == [about.digest]


def _layers(manifest: dict[str, Any]) -> list[Any]:
    from builder.image.oci import Descriptor

    return [Descriptor.of(each, where="layer") for each in manifest["layers"]]


def test_a_layout_holds_the_statements_and_equal_builds_are_equal_bytes(layerlab, path, tmp_path) -> None:
    for name in ("one", "two"):
        output = f"type=oci,dest={tmp_path}/{name}.tar"
        assert layerlab("build", "-t", "web", "--provenance", "max", "--sbom", "-o", output, path).status == 0

    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    assert b"in-toto.io/predicate-type" in (tmp_path / "one.tar").read_bytes()


def test_a_directory_has_what_is_said_as_files(layerlab, path, tmp_path) -> None:
    layerlab("build", "--provenance", "min", "--sbom", "-o", f"type=local,dest={tmp_path}/out", path)

    assert json.loads((tmp_path / "out/provenance.json").read_text())["buildDefinition"]
    assert json.loads((tmp_path / "out/sbom.spdx.json").read_text())["spdxVersion"] == "SPDX-2.3"


# ---- caches ----


def places(registry: str, tmp_path: Path, kind: str) -> tuple[str, str]:
    if kind == "registry":
        return f"type=registry,ref={registry}/cache:1", f"type=registry,ref={registry}/cache:1"
    return f"type=local,dest={tmp_path}/cache", f"type=local,src={tmp_path}/cache"


@pytest.mark.parametrize("kind", ["registry", "local"])
def test_a_cache_that_travelled_makes_every_step_known_elsewhere(
    layerlab, path, registry, tmp_path, monkeypatch, kind
) -> None:
    to, source = places(registry, tmp_path, kind)
    first = layerlab("build", "-t", "web", "--cache-to", to, path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "elsewhere"))

    again = layerlab("build", "-t", "web", "--cache-from", source, path)

    assert (first.status, again.status) == (0, 0), first.err + again.err
    assert again.err.count("CACHED") == 2 and "not cached" not in again.err
    assert [each["name"] for each in json.loads(layerlab("images", "--json").out)] == ["web:latest"]


@pytest.mark.parametrize("kind", ["registry", "local"])
def test_a_cache_that_is_not_there_is_no_error(layerlab, path, registry, tmp_path, kind) -> None:
    _, source = places(registry, tmp_path, kind)

    said = layerlab("build", "--cache-from", source, path)

    assert said.status == 0, said.err


def test_a_repository_of_steps_makes_those_known_that_were_not_and_gets_the_others(
    layerlab, project, registry, tmp_path, monkeypatch
) -> None:
    path = project(DOCKERFILE, file="x")
    first = layerlab("build", "--cache-repo", f"{registry}/steps", path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "elsewhere"))
    path = project(DOCKERFILE + "RUN echo more > /more\n")

    again = layerlab("build", "--cache-repo", f"{registry}/steps", path)
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "third"))
    third = layerlab("build", "--cache-repo", f"{registry}/steps", path)

    assert (first.status, again.status, third.status) == (0, 0, 0), first.err + again.err + third.err
    assert [said.err.count("CACHED") for said in (first, again, third)] == [0, 2, 3]
    assert json.loads(layerlab("images", "--json").out) == []


def test_an_image_that_is_no_cache_is_refused(layerlab, path, registry) -> None:
    layerlab("build", "-t", "web", path)
    layerlab("push", "web", f"{registry}/web:1")

    said = layerlab("build", "--cache-from", f"{registry}/web:1", path)

    assert said.status == 1
    assert "no cache" in said.err


def test_a_cache_is_written_over_the_one_before(layerlab, path, registry, tmp_path) -> None:
    for kind in ("registry", "local"):
        to, _ = places(registry, tmp_path, kind)
        for _ in range(2):
            assert layerlab("build", "--cache-to", to, path).status == 0


@pytest.mark.parametrize(
    "written", ["type=gha", "type=registry", "type=local", "type=local,src=a,x=b", "type=registry,ref=A b"]
)
def test_a_place_that_is_none_is_refused(layerlab, path, written) -> None:
    assert layerlab("build", "--cache-from", written, path).status in (1, 2)


# ---- why ----


def test_why_names_the_first_input_that_changed_of_every_step_that_was_done(layerlab, project) -> None:
    path = project("FROM alpine\nRUN echo a > /a\nCOPY file /file\nRUN cat /file\n", file="x")
    layerlab("build", path)
    project(None, file="y")

    table = layerlab("build", "--why", path).out
    project(None, file="z")
    steps = json.loads(layerlab("build", "--why", "--json", path).out)["steps"]

    assert "file /file changed" in table and "the layers below changed" in table and "known" in table
    assert [(each["known"], each["why"]) for each in steps] == [
        (True, ""),
        (False, "file /file changed"),
        (False, "the layers below changed"),
    ]
    assert [each["where"] for each in steps] == ["Dockerfile:2", "Dockerfile:3", "Dockerfile:4"]
