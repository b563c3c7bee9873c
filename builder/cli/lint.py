"""``layerlab lint``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from builder.cli.inputs import DockerfileSource, read_dockerfile, read_ignore
from builder.cli.session import Session
from builder.dockerfile.lint.lint import Origin, check
from builder.dockerfile.lint.rules import INVALID_DEFAULT_ARG_IN_FROM, Finding
from builder.dockerfile.plan.stages import plan
from builder.errors import BuildError


@click.command()
@click.argument("dockerfile", default="Dockerfile")
@click.option("--experimental", is_flag=True, help="Use the experimental rules too.")
@click.option("--buildkit-only", is_flag=True, help="Use only the rules that `docker build --check` has.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rules", "as_rules", is_flag=True, help="Print what the rules are, as Markdown, and stop.")
@click.pass_obj
def command(
    session: Session,
    dockerfile: str,
    *,
    experimental: bool,
    buildkit_only: bool,
    as_json: bool,
    as_rules: bool,
) -> int:
    """Check DOCKERFILE (a file, a directory that holds one, or - for stdin) for mistakes.

    The status is 1 if anything was found. `# check=skip=RuleName` at the top of the file leaves a rule out,
    right above an instruction for that one.

    \b
    Example:
      layerlab lint examples/nginx/Dockerfile
    """
    if as_rules:
        from builder.dockerfile.lint.page import rules_page

        session.print(rules_page().rstrip("\n"))
        return 0
    source = _read(dockerfile)
    ignore = None if source.path == "-" else read_ignore(Path(source.path).parent, source.path)
    wanted = frozenset({"all"}) if experimental else frozenset[str]()
    found = check(
        source.dockerfile,
        ignore=ignore,
        environment=environment,
        experimental=wanted,
        origin=Origin.BUILDKIT if buildkit_only else Origin.ALL,
    )
    if not any(each.rule is INVALID_DEFAULT_ARG_IN_FROM for each in found):
        plan(source.dockerfile)  # says which stages cannot be built in any order
    if as_json:
        session.json([_record(each) for each in found])
    else:
        for each in found:
            session.print(str(each))
        session.say(_verdict(found))
    return 1 if found else 0


def _read(dockerfile: str) -> DockerfileSource:
    path = Path(dockerfile)
    return read_dockerfile(path, None) if path.is_dir() else read_dockerfile(path.parent, dockerfile)


def environment(base: str) -> Mapping[str, str] | None:
    """What an embedded base image sets; None for an image that is not embedded."""
    from builder.image.config import ImageConfig
    from builder.image.reference import Reference
    from builder.world.supplies.bases import find

    try:
        name = Reference.parse(base).familiar
    except BuildError:
        return None
    image = find(name)
    return None if image is None else ImageConfig.of(image.config, where=name).env


def _record(each: Finding) -> dict[str, object]:
    return {
        "rule": each.rule.id,
        "file": each.span.file,
        "line": each.span.line,
        "end_line": each.span.end_line,
        "message": each.message,
        "description": each.rule.sentence,
        "url": each.rule.url,
        "ours": each.rule.ours,
    }


def _verdict(found: tuple[Finding, ...]) -> str:
    if not found:
        return "nothing found"
    rules = len({each.rule.id for each in found})
    return f"{len(found)} found, of {rules} rule{'s' if rules > 1 else ''}: layerlab lint --rules explains"
