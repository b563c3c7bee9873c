"""The programs that build and clone in steps."""

from __future__ import annotations

import pytest

from builder.image.image import Image
from builder.image.reference import Reference
from builder.pipeline.events import Printed
from builder.pipeline.order import order_from
from builder.pipeline.play import play
from builder.pipeline.tools.site import Site
from builder.security.documents import read
from builder.stores.memory import MemoryStore

CLONE = "git clone https://git.example.com/web.git /workspace/w/src"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "Dockerfile").write_text(
        "FROM alpine:3.19 AS base\nARG V=1\nRUN echo $V > /v\nFROM base AS end\nCOPY file /file\n"
    )
    (tmp_path / "app" / "file").write_text("hello")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("never read")
    return tmp_path


class Run:
    def __init__(self, repository, steps):
        lines = "".join(
            f"  - image: {image}\n    {how}\n    workspaces: [{{name: w}}]\n" for image, how in steps
        )
        text = (
            "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\nspec:\n"
            "  workspaces: [{name: w}]\n  results: [{name: r}]\n  steps:\n" + lines
        )
        self.store, self.events = MemoryStore(), []
        self.site = Site(self.store, repository, self.events.append)
        self.outcome = play(order_from(read(text.encode(), "t.yaml"), "", {}), self.site)
        self.printed = b"".join(e.data for e in self.events if isinstance(e, Printed)).decode()

    def image(self, name):
        manifest = self.store.resolve(Reference.parse(name))
        return None if manifest is None else Image.load(self.store, manifest)


def test_git_clones_the_directory_and_names_a_commit(repository):
    run = Run(
        repository,
        [("alpine/git", f'script: "{CLONE} && cd /workspace/w/src && ls -A && git rev-parse HEAD"')],
    )
    again = Run(repository, [("alpine/git", f'script: "{CLONE} && git -C /workspace/w/src rev-parse HEAD"')])

    *names, commit = run.printed.splitlines()
    assert names == [".git", "app"]
    assert len(commit) == 40
    assert again.printed == commit + "\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("git push origin main", "git: error: git push is not simulated"),
        ("cd / && git rev-parse HEAD", "not a git repository"),
    ],
)
def test_what_git_does_not_do_here_is_said(repository, words, said):
    run = Run(repository, [("alpine/git", f'script: "{words}"')])

    assert said in run.printed
    assert run.outcome.state == "Failed"


KANIKO = (
    "command: [/kaniko/executor]\n    args: [--context=dir:///workspace/w/src/app, "
    "--destination=registry.example.com/web:1, --build-arg=V=2, -f, Dockerfile, "
    "--digest-file=$(results.r.path)]"
)
BUILDCTL = (
    "command: [buildctl-daemonless.sh]\n    args: [build, --frontend, dockerfile.v0, "
    "--local, context=/workspace/w/src/app, --local=dockerfile=/workspace/w/src/app, "
    "--opt=build-arg:V=2, '--output=type=image,name=registry.example.com/web:1,push=true', "
    "--metadata-file=/workspace/w/meta.json]"
)
BUILDAH = (
    "script: 'buildah bud -t web --build-arg V=2 /workspace/w/src/app && "
    "buildah push --digestfile $(results.r.path) web docker://registry.example.com/web:1'"
)


@pytest.mark.parametrize(
    ("image", "how"),
    [
        ("ghcr.io/osscontainertools/kaniko:v1.28.2", KANIKO),
        ("moby/buildkit:rootless", BUILDCTL),
        ("quay.io/buildah/stable", BUILDAH),
    ],
)
def test_each_builder_builds_and_pushes(repository, image, how):
    run = Run(repository, [("alpine/git", f'script: "{CLONE}"'), (image, how)])

    assert run.outcome.state == "Succeeded", run.printed
    (pushed,) = run.outcome.pushed
    assert pushed.reference == "registry.example.com/web:1"
    assert run.image("registry.example.com/web:1") is not None
    assert run.image("web") is None
    assert "a registry would refuse this push" in run.printed  # nothing gave it credentials
    if "results" in how:
        assert run.outcome.results["r"] == pushed.digest


@pytest.mark.parametrize(
    ("image", "how", "said"),
    [
        ("kaniko", "command: [/kaniko/executor]", "--destination is needed"),
        (
            "kaniko",
            "command: [/kaniko/executor]\n    args: [--no-push, --context=s3://bucket/x]",
            "the context s3://bucket/x is not simulated",
        ),
        (
            "kaniko",
            "command: [/kaniko/executor]\n    args: [--tar-path=/x]",
            "executor: --tar-path is not simulated",
        ),
        (
            "kaniko",
            "command: [/kaniko/executor]\n    args: [--no-push, --context=/workspace/w]",
            "no Dockerfile at /workspace/w/Dockerfile",
        ),
        ("buildkit", "args: [prune]", "buildctl prune is not simulated"),
        ("buildkit", "args: [build, --frontend=gateway.v0]", "the frontend 'gateway.v0' is not simulated"),
        ("buildah", "args: [push, nothing]", "there is no image nothing"),
        ("buildah", "args: [run, x]", "buildah run is not simulated"),
    ],
)
def test_what_builders_do_not_do_here_is_said(repository, image, how, said):
    run = Run(repository, [(image, how)])

    assert said in run.printed
    assert run.outcome.state == "Failed"


def test_the_executors_image_has_no_shell(repository):
    run = Run(repository, [("kaniko", "script: 'true'")])

    assert run.outcome.tasks[0].why.startswith("step unnamed-0 ended with 127")


def test_a_build_that_fails_names_the_line(repository):
    (repository / "app" / "Dockerfile").write_text("FROM alpine:3.19\nRUN false\n")
    run = Run(repository, [("alpine/git", f'script: "{CLONE}"'), ("kaniko", KANIKO)])

    assert "Dockerfile:2" in run.printed
    assert run.outcome.state == "Failed"
    assert run.outcome.pushed == ()
