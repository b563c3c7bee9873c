"""``layerlab pipeline``: Tekton pipelines for a project, written and checked without a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.cli.playing import command as run
from builder.cli.security.manifests import manifests_in, read_documents
from builder.cli.session import Session
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.security.documents import Document
    from builder.security.pss import Verdict
    from builder.security.tekton.check import Problem
    from builder.security.tekton.finding import Path as Path_
    from builder.security.tekton.pods import TaskPod


@click.group()
def command() -> None:
    """Write, check and play the Tekton pipelines that build images.

    \b
    Example:
      layerlab pipeline check examples/nginx/pipeline
    """


command.add_command(run)


@command.command()
@click.argument("context", default=".", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("-f", "--file", "dockerfile", help="The Dockerfile  [default: Dockerfile in CONTEXT]")
@click.option("--target", help="The stage to build.")
@click.option(
    "--builder",
    type=click.Choice(["kaniko", "buildkit", "buildah"]),
    default="kaniko",
    show_default=True,
    help="What builds: the maintained fork of Kaniko, or rootless BuildKit or buildah.",
)
@click.option("--builder-image", metavar="REF", help="Another image of the builder; name it by digest.")
@click.option(
    "--profile",
    default="",
    metavar="NAME",
    help="A seccomp and AppArmor profile on every node, for BuildKit and buildah.",
)
@click.option("--name", help="What the pipeline is called  [default: as CONTEXT]")
@click.option("--url", default="", help="The repository to clone, in run.yaml.")
@click.option("--revision", default="main", show_default=True, help="What of it, in run.yaml.")
@click.option("--image", default="", metavar="REF", help="Where to push, in run.yaml.")
@click.option("--secret", default="registry-push", show_default=True, help="The Secret that may push.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write task.yaml, pipeline.yaml and run.yaml there  [default: all to the standard output]",
)
@click.pass_obj
def write(
    session: Session,
    context: Path,
    dockerfile: str | None,
    target: str | None,
    builder: str,
    builder_image: str | None,
    profile: str,
    name: str | None,
    url: str,
    revision: str,
    image: str,
    secret: str,
    output: Path | None,
) -> None:
    """Write a Tekton Task, Pipeline and run that build the Dockerfile of CONTEXT and push the image.

    One step clones, one builds with as few powers as the builder can live with, one tells what was pushed
    by digest; the credentials are in the step that pushes alone. A relative CONTEXT is taken for the path
    in the repository. The same project gives the same bytes.

    \b
    Example:
      layerlab pipeline write examples/nginx
      layerlab pipeline write examples/nginx --builder buildah -o pipeline
    """
    from builder.cli.inputs import read_dockerfile
    from builder.dockerfile.plan.stages import plan
    from builder.security.tekton.write import Builder, Project
    from builder.security.tekton.write import write as written

    plan(read_dockerfile(context, dockerfile).dockerfile, target=target)  # says what cannot be built
    project = Project(
        name=name or _object_name(context),
        context=context.as_posix() if _is_within(context) else ".",
        dockerfile=_from_context(context, dockerfile),
        target=target or "",
        url=url,
        revision=revision,
        image=image,
        secret=secret,
        builder_image=builder_image,
        profile=profile,
    )
    files = written(project, Builder(builder))
    if output is None:
        session.out.write("---\n".join(files.values()))
        return
    output.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (output / file).write_text(text, encoding="utf-8")
        session.say(f"wrote {output / file}")


def _is_within(path: Path) -> bool:
    """Whether a path can be one in a repository: relative, and never up."""
    return not path.is_absolute() and ".." not in path.parts


def _object_name(context: Path) -> str:
    """The directory's name, as one that an object may have."""
    letters = (letter if letter.isalnum() and letter.isascii() else "-" for letter in context.resolve().name)
    return "".join(letters).lower().strip("-") or "image"


def _from_context(context: Path, dockerfile: str | None) -> str:
    """The Dockerfile's path from the context on; BuildError where it lies outside."""
    if dockerfile is None:
        return "Dockerfile"
    try:
        return Path(dockerfile).resolve().relative_to(context.resolve()).as_posix()
    except ValueError:
        raise BuildError(
            f"{dockerfile} is not within {context}", fix="a pipeline builds a Dockerfile of its repository"
        ) from None


@command.command()
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--api-fields",
    type=click.Choice(["stable", "beta", "alpha"]),
    default="beta",
    show_default=True,
    help="What your cluster's enable-api-fields is.",
)
@click.option(
    "--require",
    type=click.Choice(["baseline", "restricted"]),
    help="Fail if a pod does not meet this Pod Security Standard.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rules", "as_rules", is_flag=True, help="Print what the rules are, as Markdown, and stop.")
@click.pass_obj
def check(
    session: Session,
    files: Sequence[str],
    api_fields: str,
    require: str | None,
    *,
    strict: bool,
    as_json: bool,
    as_rules: bool,
) -> int:
    """Check Tekton manifests: their structure, every reference, and the pods that they make.

    FILE is YAML or JSON with any number of documents, a directory of such files, or - for the standard
    input. References are followed among all of them. The status is 1 if the cluster would refuse anything.

    \b
    Example:
      layerlab pipeline check examples/nginx/pipeline
      layerlab pipeline check examples/nginx/pipeline --require baseline
    """
    if as_rules:
        from builder.security.tekton.rules import page

        session.print(page().rstrip("\n"))
        return 0
    if not files:
        raise click.UsageError("name a FILE, a directory of them, or - for the standard input")
    report = _checked(_read(files), api_fields)
    if as_json:
        session.json(report.record())
    else:
        report.show(session, require)
    return report.status(require, strict=strict)


@dataclass(slots=True)
class _Read:
    """The documents of some files, and the files that cannot be read."""

    documents: list[Document] = field(default_factory=list)
    errors: list[BuildError] = field(default_factory=list)


def _read(files: Sequence[str]) -> _Read:
    found = _Read()
    for name in manifests_in(files):
        try:
            found.documents += read_documents(name)
        except BuildError as error:
            found.errors.append(error)
    return found


@dataclass(slots=True)
class _Report:
    """What was found. ``judged``: every pod with its verdict; ``objects``: how many of Tekton's there are.

    ``reached``: for each pod that is known to build, what a hostile build gets.
    """

    errors: list[BuildError]
    problems: list[Problem]
    judged: list[tuple[TaskPod, Verdict]]
    reached: list[Reach | None]
    objects: int

    def status(self, require: str | None, *, strict: bool) -> int:
        """The exit status: 1 where the cluster (or ``require``) would refuse something."""
        from builder.security.tekton.finding import Severity

        wrong = [each for each in self.problems if strict or each.severity is Severity.ERROR]
        return 1 if self.errors or wrong or not self.objects or self._weaker(require) else 0

    def _weaker(self, require: str | None) -> list[tuple[TaskPod, Verdict]]:
        """The pods that do not meet the level ``require``."""
        from builder.security.pss import Level

        rank = Level(require).rank if require else 0
        return [each for each in self.judged if each[1].level.rank < rank]

    def show(self, session: Session, require: str | None) -> None:
        """Print it: problems, then pods, then what keeps pods from the level that is required."""
        for error in self.errors:
            session.print(str(error))
        for problem in self.problems:
            session.print(f"{problem} [{problem.rule}]")
        if self.judged:
            session.table(
                ("POD", "LEVEL", "WHAT KEEPS IT FROM A STRICTER ONE"),
                [(each.pod.name, verdict.level.value, _reasons(verdict)) for each, verdict in self.judged],
            )
        self._show_builds(session)
        for each, verdict in self._weaker(require):
            for violation in verdict.violations:
                file, line, place = each.at(violation)
                found = "is unset" if violation.found is None else f"is {violation.found}"
                session.print(f"{file}:{line}: {place}: {found}; must be {violation.wanted}")
        session.say(self._verdict())

    def _show_builds(self, session: Session) -> None:
        builds = [
            (each.pod.name, found)
            for (each, _), found in zip(self.judged, self.reached, strict=True)
            if found is not None
        ]
        if builds:
            session.print("")
            session.table(
                ("BUILD", "BUILDER", "DOCKERFILE → NODE", "JOB → NODE", "DOCKERFILE → CREDENTIALS"),
                [
                    (
                        name,
                        found.builder,
                        *map(_yes_or_no, (found.node, found.node_by_job, found.credentials)),
                    )
                    for name, found in builds
                ],
            )
        for name, found in builds:
            if not found.works:
                session.print(f"{name}: {found.builder} cannot build with these rights: {found.needs}")

    def _verdict(self) -> str:
        from builder.security.tekton.finding import Severity

        if not self.objects and not self.errors and not self.problems:
            return "no object of Tekton in it"
        errors = sum(each.severity is Severity.ERROR for each in self.problems) + len(self.errors)
        warnings = len(self.problems) + len(self.errors) - errors
        if not errors and not warnings:
            return f"nothing wrong in {_counted(self.objects, 'object')}"
        return f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}: --rules explains"

    def record(self) -> dict[str, Any]:
        """The report as JSON has it."""
        unreadable = [
            {
                "file": str(each.where or ""),
                "line": None,
                "field": "",
                "rule": "unreadable",
                "severity": "error",
                "message": each.what,
                "fix": each.fix or "",
            }
            for each in self.errors
        ]
        return {
            "problems": unreadable + [_record(each) for each in self.problems],
            "pods": [
                {
                    "name": each.pod.name,
                    "task": each.task,
                    "level": verdict.level.value,
                    "violations": [
                        dict(zip(("file", "line", "field"), each.at(violation), strict=True))
                        | {
                            "check": violation.check,
                            "level": violation.level.value,
                            "found": violation.found,
                            "wanted": violation.wanted,
                        }
                        for violation in verdict.violations
                    ],
                    "build": None if found is None else asdict(found),
                }
                for (each, verdict), found in zip(self.judged, self.reached, strict=True)
            ],
        }


def _checked(read: _Read, api_fields: str) -> _Report:
    from builder.security.pss import judge
    from builder.security.tekton.check import checked, is_sound
    from builder.security.tekton.features import Features
    from builder.security.tekton.pods import task_pods

    found = checked(read.documents, Features.named(api_fields))
    sound = [each.document for each in found if is_sound(each)]
    problems = [problem for each in found for problem in each.problems]
    pods = task_pods(sound)
    for pod in pods:
        problems += (each for each in _careless(pod) if each not in problems)
    return _Report(
        read.errors,
        problems,
        [(each, judge(each.pod)) for each in pods],
        [_reach(each) for each in pods],
        sum(bool(each.kind) for each in found),
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """What a hostile Dockerfile gets from a build, and a hostile job (``node_by_job``).

    ``works``: whether the builder has what it needs; ``assets``: all of worth that the Dockerfile reaches.
    """

    builder: str
    works: bool
    needs: str
    node: bool
    node_by_job: bool
    credentials: bool
    assets: tuple[str, ...]


def _reach(each: TaskPod) -> Reach | None:
    """What a build in the pod reaches; None where no image or command names a builder."""
    from builder.security.facts import guess_builder, situation
    from builder.security.graph import Start, reach

    builder = guess_builder(each.pod)
    if builder is None:
        return None
    build = situation(each.pod, builder)
    dockerfile, job = reach(build, Start.DOCKERFILE), reach(build, Start.JOB)
    return Reach(
        builder.name,
        build.works,
        builder.why,
        "node_root" in dockerfile,
        "node_root" in job,
        "reg_creds" in dockerfile,
        dockerfile.assets,
    )


def _careless(pod: TaskPod) -> Iterator[Problem]:
    """What ``security check`` says of a pod, as warnings."""
    from builder.security.checks import RULES, check_pod
    from builder.security.tekton.check import Problem
    from builder.security.tekton.finding import Severity

    places: dict[str, tuple[str, int, str]] = {}

    def place(path: Path_) -> str:
        found = pod.place(path)
        places[str(found)] = found
        return str(found)

    for each in check_pod(pod.pod, place):
        file, line, where = places[each.where]
        what = f"{each.what}: {RULES[each.rule]}"
        yield Problem(file, line, where, each.rule, Severity.WARNING, what, each.instead)


def _yes_or_no(value: bool) -> str:  # noqa: FBT001 - one value is shown
    return "yes" if value else "no"


def _record(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.field,
        "rule": problem.rule,
        "severity": problem.severity.value,
        "message": problem.message,
        "fix": problem.fix,
    }


def _reasons(verdict: Verdict) -> str:
    """The rules that a pod breaks of the next stricter level, each once."""
    from builder.security.pss import Level

    next_ = Level.BASELINE if verdict.level is Level.PRIVILEGED else Level.RESTRICTED
    return ", ".join(dict.fromkeys(each.check for each in verdict.violations if each.level is next_))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
