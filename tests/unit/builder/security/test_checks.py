"""Checks of a build's set-up: each rule on what it is about, and silent on what it recommends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.security.checks import RULES, BuildFile, Finding, Named, check_build_file, check_pod
from builder.security.hostpaths import SOCKETS
from builder.security.pods import pods_in

DIGEST = "@sha256:" + "0" * 64


def rules(found: list[Finding]) -> list[str]:
    return [each.rule for each in found]


def image(name: str) -> list[Finding]:
    return list(check_build_file(BuildFile(images=(Named(name, "Dockerfile:1"),))))


def pod(container: dict[str, Any] | None = None, **spec: Any) -> list[Finding]:
    spec = {"containers": [{"name": "c", "image": f"x{DIGEST}", **(container or {})}], **spec}
    (found,) = pods_in(json.dumps({"apiVersion": "v1", "kind": "Pod", "spec": spec}).encode(), "x.yaml")
    return list(check_pod(found))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"alpine:3.19{DIGEST}", []),
        ("$BASE", []),
        ("alpine", ["image-not-pinned"]),
        ("alpine:3.19", ["image-not-pinned"]),
        ("alpine@sha256:12", ["image-not-pinned"]),
        (f"gcr.io/kaniko-project/executor:v1.24.0{DIGEST}", ["archived-executor"]),
        (f"gcr.io/kaniko-project/warmer{DIGEST}", ["archived-executor"]),
        (f"gcr.io/kaniko-project/executor-mirror{DIGEST}", []),
        (f"ghcr.io/osscontainertools/kaniko:v1.28.3{DIGEST}", []),
        (f"cgr.dev/chainguard/kaniko:1.25.9{DIGEST}", ["outdated-builder"]),
        (f"moby/buildkit:v0.28.0-rootless{DIGEST}", ["outdated-builder"]),
        (f"docker.io/moby/buildkit:v0.31.1{DIGEST}", []),
        (f"moby/buildkit:latest{DIGEST}", []),
        (f"moby/buildkit:v0{DIGEST}", []),
        (f"docker:29.3.0-dind{DIGEST}", ["outdated-builder"]),
        (f"docker:29.5.1-cli{DIGEST}", []),
        (f"library/docker:24.0{DIGEST}", ["outdated-builder"]),
        (f"mydocker:1.0{DIGEST}", []),
        (f"localhost:5000/moby/buildkit:v0.12.0{DIGEST}", ["outdated-builder"]),
    ],
)
def test_an_image_is_judged_by_its_name_tag_and_digest(name: str, found: list[str]) -> None:
    assert rules(image(name)) == found


def test_an_outdated_builder_is_told_its_bugs_and_the_version_without_them() -> None:
    (found,) = image(f"moby/buildkit:v0.27{DIGEST}")

    assert "CVE-2026-33747" in found.what
    assert "GHSA-7236-3392-c5c6" in found.what
    assert found.instead == "take 0.31.1 or later"


def test_a_frontend_needs_a_digest() -> None:
    loose = BuildFile(frontend=Named("docker/dockerfile:1", "Dockerfile:1"))
    pinned = BuildFile(frontend=Named(f"docker/dockerfile:1{DIGEST}", "Dockerfile:1"))

    assert rules(list(check_build_file(loose))) == ["frontend-not-pinned"]
    assert not list(check_build_file(pinned))


def test_a_secret_in_arg_or_env_is_told_from_what_only_looks_alike() -> None:
    names = [Named(name, "Dockerfile:2") for name in ("NPM_TOKEN", "PUBLIC_KEY", "TOKEN_FILE", "VERSION")]

    (found,) = check_build_file(BuildFile(variables=tuple(names)))

    assert (found.rule, found.where) == ("secret-in-image", "Dockerfile:2")
    assert "id=npm_token,env=NPM_TOKEN" in found.instead


@pytest.mark.parametrize("path", [*SOCKETS, "/", "/run", "/var/run/", "//var//run", "/proc/1/root/run"])
def test_a_socket_is_found_in_every_spelling_mounted_or_not(path: str) -> None:
    (found,) = pod(volumes=[{"name": "v", "hostPath": {"path": path}}])

    assert found.rule == "runtime-socket"
    assert found.where == "x.yaml:1: spec.volumes[0].hostPath"


def test_other_volumes_are_no_socket() -> None:
    assert not pod(volumes=[{"name": "v", "hostPath": {"path": "/var/log"}}, {"name": "w", "emptyDir": {}}])


@pytest.mark.parametrize(
    ("container", "found"),
    [
        ({"env": [{"name": "A_PASSWORD", "value": "x"}]}, ["secret-in-manifest"]),
        ({"env": [{"name": "A_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}, []),
        ({"env": [{"name": "A_PASSWORD_FILE", "value": "/x"}]}, []),
        ({"args": ["--build-arg=API_KEY=1"]}, ["secret-as-build-argument"]),
        ({"args": ["--build-arg", "API_KEY=1"]}, ["secret-as-build-argument"]),
        ({"command": ["buildctl", "--opt", "build-arg:TOKEN=1"]}, ["secret-as-build-argument"]),
        ({"args": ["--build-arg=VERSION=1", "--build-arg", "B=2"]}, []),
        ({"image": "busybox"}, ["image-not-pinned"]),
        ({"image": ""}, []),
    ],
)
def test_a_container_is_judged_by_image_environment_and_arguments(
    container: dict[str, Any], found: list[str]
) -> None:
    assert rules(pod(container)) == found


def test_every_finding_says_why_and_what_to_write_instead() -> None:
    found = [*image("gcr.io/kaniko-project/executor:v1.9.0"), *pod({"args": ["--build-arg=TOKEN=1"]})]

    for each in found:
        assert each.instead
        assert RULES[each.rule] in str(each)
        assert str(each).startswith(each.where)
