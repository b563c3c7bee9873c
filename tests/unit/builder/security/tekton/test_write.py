"""The pipelines that are written are sound, strict, and the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import BuildError
from builder.security.documents import Document, read
from builder.security.pss import Level, judge
from builder.security.tekton.check import check
from builder.security.tekton.pods import task_pods
from builder.security.tekton.variables import variables
from builder.security.tekton.write import FILES, Builder, Project, quoted, write

EXAMPLES = Path(__file__).parents[5] / "examples"


def documents(project: Project, builder: Builder) -> list[Document]:
    return [each for name, text in write(project, builder).items() for each in read(text.encode(), name)]


@pytest.mark.parametrize("builder", Builder)
def test_what_is_written_has_nothing_wrong(builder):
    assert check(documents(Project(name="web", target="final"), builder)) == []
    assert tuple(write(Project(name="web"), builder)) == FILES


@pytest.mark.parametrize(
    ("builder", "profile", "level"),
    [
        (Builder.KANIKO, "", Level.BASELINE),
        (Builder.BUILDKIT, "", Level.PRIVILEGED),
        (Builder.BUILDKIT, "builds", Level.BASELINE),
        (Builder.BUILDAH, "", Level.PRIVILEGED),
        (Builder.BUILDAH, "builds", Level.BASELINE),
    ],
)
def test_a_pod_is_as_strict_as_its_builder_allows(builder, profile, level):
    (found,) = task_pods(documents(Project(name="web", profile=profile), builder))

    assert judge(found.pod).level is level
    for container in found.pod.containers:
        assert not container.security.privileged
        assert container.security.dropped == ("ALL",)
        is_builder = container.name in ("build", "build-and-push", "push")
        assert container.security.run_as_non_root or is_builder
        assert container.security.allow_privilege_escalation is (is_builder and builder is not Builder.KANIKO)
    assert not found.pod.automounts_token


@pytest.mark.parametrize("builder", Builder)
def test_credentials_are_in_the_step_that_pushes_alone(builder):
    (found,) = task_pods(documents(Project(name="web"), builder))

    holders = [
        container.name
        for container in found.pod.containers
        if any(mount.volume == "workspace-dockerconfig" for mount in container.mounts)
    ]

    assert holders == ["push" if builder is Builder.BUILDAH else "build-and-push"]


@pytest.mark.parametrize("builder", Builder)
def test_no_param_is_text_of_a_script_and_every_image_has_a_digest(builder):
    (task,) = read(write(Project(name="web"), builder)["task.yaml"].encode(), "task.yaml")

    for step in task.root["spec"]["steps"]:
        assert all(each.root != "params" for each in variables(step.get("script", "")))
    images = {
        each["name"]: each["default"]
        for each in task.root["spec"]["params"]
        if "image" in each["name"] and "default" in each
    }
    assert set(images) == {"builder-image", "git-image"}
    assert all("@sha256:" in each for each in images.values())


@pytest.mark.parametrize("builder", Builder)
def test_nothing_deprecated_or_shut_is_used(builder):
    text = "".join(write(Project(name="web"), builder).values())

    for word in (
        "hub.tekton.dev",
        "resolver",
        "git-clone",
        "gcr.io/kaniko-project",
        "v1beta1",
        "privileged: true",
    ):
        assert word not in text


def test_the_example_is_what_is_written_for_it():
    expected = write(Project(name="nginx", context="examples/nginx"), Builder.KANIKO)

    assert {name: (EXAMPLES / "nginx" / "pipeline" / name).read_text() for name in FILES} == expected


@given(
    url=st.text(max_size=20),
    image=st.text(max_size=20),
    context=st.text(max_size=20),
    builder=st.sampled_from(Builder),
)
def test_whatever_is_asked_for_arrives_as_it_is(url, image, context, builder):
    surrogates = any("\ud800" <= letter <= "\udfff" for letter in url + image + context)
    if surrogates:
        return
    project = Project(name="web", url=url, image=image, context=context)

    task, _, run = documents(project, builder)

    given_ = {each["name"]: each["value"] for each in run.root["spec"]["params"]}
    defaults = {each["name"]: each.get("default") for each in task.root["spec"]["params"]}
    assert defaults["context"] == context
    assert not url or given_["url"] == url
    assert not image or given_["image"] == image


@pytest.mark.parametrize("name", ["Web", "a b", "", "a" * 58, "web\nkind: Pod"])
def test_a_name_that_no_object_can_have_is_refused(name):
    with pytest.raises(BuildError, match="no pipeline can be called"):
        write(Project(name=name), Builder.KANIKO)


@pytest.mark.parametrize("text", ["a", "a/b", "on", "5", "", "- a", "a: b", "@x", "a #b", "é"])
def test_a_quoted_text_is_read_as_itself(text):
    assert read(f"a: {quoted(text)}\n".encode(), "x")[0].root == {"a": text}
