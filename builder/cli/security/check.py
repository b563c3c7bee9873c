"""``layerlab security check``: what is careless in a Dockerfile, a pod or a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli.security.manifests import SUFFIXES, Manifests, manifests_in
from builder.cli.session import Session
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.dockerfile.span import Span
    from builder.dockerfile.syntax.parser import Dockerfile
    from builder.security.checks import BuildFile, Finding


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, files: Sequence[str], *, as_json: bool) -> int:
    """Look for what is careless in a build's set-up, and say what to write instead.

    FILE is a Dockerfile or, if its name ends in .yaml, .yml or .json, manifests of pods and of Tekton's
    pipelines. A directory is its Dockerfile and the manifests below it. The status is 1 if anything was
    found.

    \b
    Example:
      echo 'FROM scratch' | layerlab security check -
    """
    found: list[Finding] = []
    failed = False
    build_files, manifests = _sorted(files)
    for name in build_files:
        try:
            found += _build_file(name)
        except BuildError as error:
            failed = True
            session.say(f"layerlab: {error}")
    if manifests:
        source = Manifests(session, manifests, ())
        found += _of_pods(source)
        failed = failed or source.failed
    if as_json:
        session.json(
            [
                {"rule": each.rule, "where": each.where, "what": each.what, "instead": each.instead}
                for each in found
            ]
        )
    else:
        for each in found:
            session.print(str(each))
        if not failed:
            session.say(f"{len(found)} found" if found else "nothing found")
    return 1 if found or failed else 0


def _sorted(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The Dockerfiles and the manifests among what was named, in its order."""
    build_files: list[str] = []
    manifests: list[str] = []
    for name in names:
        path = Path(name)
        if path.is_dir():
            below = [each for each in manifests_in([name]) if each != name]
            manifests += below
            if (path / "Dockerfile").exists() or not below:
                build_files.append(str(path / "Dockerfile"))
        else:
            (manifests if name.endswith(SUFFIXES) else build_files).append(name)
    return build_files, manifests


def _of_pods(source: Manifests) -> Iterator[Finding]:
    from builder.security.checks import check_pod

    for written in source.pods():
        yield from check_pod(written.pod, written.where)


def _build_file(name: str) -> Iterator[Finding]:
    from builder.cli.inputs import read_dockerfile
    from builder.security.checks import check_build_file

    source = read_dockerfile(Path(name).parent, name)
    return check_build_file(_looked_at(source.dockerfile, "stdin" if name == "-" else name))


def _looked_at(dockerfile: Dockerfile, name: str) -> BuildFile:
    """What the checks look at in the Dockerfile called ``name``."""
    from builder.dockerfile.plan.scope import global_scope, platform_args
    from builder.dockerfile.plan.stages import DEFAULT_PLATFORM
    from builder.dockerfile.syntax.instruction import Arg, Copy, Env, Run
    from builder.dockerfile.variables.expand import ExpansionError, expand
    from builder.security.checks import BuildFile, Named

    automatic = platform_args(DEFAULT_PLATFORM, DEFAULT_PLATFORM)
    given = global_scope(dockerfile, platform_values=automatic)
    syntax = dockerfile.directive("syntax")
    stages: set[str] = set()
    images: list[Named] = []
    variables: list[Named] = []

    def at(span: Span) -> str:
        return f"{name}:{span.line}"

    def use(written: str, where: str) -> None:
        try:
            image = expand(written, given.get, dockerfile.escape)
        except ExpansionError:
            image = written  # layerlab lint and build say what is wrong with it
        if image and image.lower() not in stages and not image.isdecimal() and image != "scratch":
            images.append(Named(image, where))

    for stage in dockerfile.stages:
        use(stage.start.base, at(stage.span))
        for each in stage.instructions:
            if isinstance(each, Copy) and each.from_ is not None:
                use(each.from_, at(each.span))
            elif isinstance(each, Run):
                for mount in each.mounts:
                    if mount.from_:
                        use(mount.from_, at(each.span))
        if stage.name is not None:
            stages.add(stage.name)
    for each in dockerfile.instructions:
        if isinstance(each, Arg):
            variables += (Named(declared.name, at(each.span)) for declared in each.declarations)
        elif isinstance(each, Env):
            variables += (Named(variable, at(each.span)) for variable, _ in each.pairs)
    frontend = Named(syntax.value, at(syntax.span)) if syntax is not None else None
    return BuildFile(frontend, tuple(images), tuple(variables))
