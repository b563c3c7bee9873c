"""``layerlab pipeline run``: a pipeline played in memory, told while it happens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from builder.cli.inputs import pairs
from builder.cli.progress import Plain, printable
from builder.cli.security.manifests import manifests_in, read_documents
from builder.cli.session import Session

if TYPE_CHECKING:
    from builder.pipeline.events import Happening
    from builder.pipeline.outcome import Outcome, TaskOutcome
    from builder.security.documents import Document
    from builder.security.tekton.values import Value

_SHOWN_VALUE = 100


@click.command(name="run")
@click.argument("files", nargs=-1, metavar="FILE...", required=True)
@click.option(
    "--simulated", is_flag=True, help="Play it in memory; it must be said, for no cluster is asked."
)
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="A value for a param.")
@click.option(
    "--repository",
    default=".",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="What git clones, whatever the URL says.",
)
@click.option("--name", default="", help="Which run, pipeline or task of the files  [default: the only run]")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing while it runs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    session: Session,
    files: Sequence[str],
    params: Sequence[str],
    repository: Path,
    name: str,
    *,
    simulated: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Play a Tekton run in memory: its tasks, steps, results and images, as a cluster would.

    FILE is as for check, which is done first. Scripts run in the simulated world; steps with an image of
    Kaniko, BuildKit, buildah or git build and clone with what is here. An image that is pushed goes into the
    local store under the name that it was pushed to.

    \b
    Example:
      layerlab pipeline run --simulated examples/nginx/pipeline
      layerlab run registry.example.com/nginx:main --get /
    """
    if not simulated:
        raise click.UsageError("there is no cluster to run it on: say --simulated to play it in memory")
    from builder.pipeline.order import order_from
    from builder.pipeline.play import play
    from builder.pipeline.tools.site import Site

    documents = [each for name in manifests_in(files) for each in read_documents(name)]
    if _is_refused(session, documents):
        return 1
    wanted = order_from(documents, name, pairs(params, session.env, "-p"))
    told = _Told(session.err)
    with session.store() as store:
        site = Site(store, repository, (lambda _: None) if quiet else told)
        outcome = play(wanted, site)
    if as_json:
        session.json(_record(outcome))
    else:
        _show(session, outcome)
    return 1 if outcome.state == "Failed" else 0


def _is_refused(session: Session, documents: Sequence[Document]) -> bool:
    """Whether the cluster would refuse something; it is printed."""
    from builder.security.tekton.check import checked
    from builder.security.tekton.features import Features
    from builder.security.tekton.finding import Severity

    wrong = [
        problem
        for each in checked(documents, Features.named("beta"))
        for problem in each.problems
        if problem.severity is Severity.ERROR
    ]
    for problem in wrong:
        session.say(f"{problem} [{problem.rule}]")
    return bool(wrong)


@dataclass(slots=True)
class _Told:
    """Prints what happens, a line each; what belongs to a step is set in."""

    out: TextIO
    _build: Plain | None = None
    _rest: str = ""
    _set_in: _SetIn = field(init=False)

    def __post_init__(self) -> None:
        self._set_in = _SetIn(self.out)

    def __call__(self, event: Happening) -> None:
        """Print what is worth a line."""
        from builder.pipeline.events import (
            Built,
            Printed,
            StepBegan,
            StepEnded,
            TaskBegan,
            TaskEnded,
            TaskSkipped,
        )

        match event:
            case TaskBegan(task=task, of=of):
                self._line(f"task {task}" + (f" ({of})" if of and of != task else ""))
            case TaskSkipped(task=task, why=why):
                self._line(f"task {task}: skipped: {why}")
            case StepBegan(step=step, image=image):
                self._build = Plain(self._set_in)  # type: ignore[arg-type]  # it only writes
                self._line(f"  step {step}, in {image.partition('@')[0]}")
            case Printed(data=data):
                *lines, self._rest = (self._rest + printable(data)).split("\n")
                for line in lines:
                    self._line(f"    {line}")
            case Built(event=inner):
                assert self._build is not None
                self._build(inner)
            case StepEnded(step=step, status=status, note=note):
                self._leave()
                if status or note:
                    ending = f"ended with {status}" if status else "did not run"
                    self._line(f"  step {step} {ending}" + (f": {note}" if note else ""))
            case TaskEnded(task=task, state=state, why=why):
                self._line(f"task {task}: {state.lower()}" + (f": {why}" if why else ""))

    def _leave(self) -> None:
        if self._rest:
            self._line(f"    {self._rest}")
            self._rest = ""

    def _line(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


@dataclass(frozen=True, slots=True)
class _SetIn:
    """A stream whose lines begin four columns to the right."""

    out: TextIO

    def write(self, text: str) -> int:
        """Write whole lines."""
        return self.out.write("".join(f"    {line}" for line in text.splitlines(keepends=True)))

    def flush(self) -> None:
        """Let it be seen."""
        self.out.flush()


def _show(session: Session, outcome: Outcome) -> None:
    session.table(("TASK", "STEP", "STATE", "WHY"), [row for task in outcome.tasks for row in _rows(task)])
    if outcome.results:
        session.print("")
        session.table(
            ("RESULT", "VALUE"), [(name, _short(value)) for name, value in sorted(outcome.results.items())]
        )
    for pushed in outcome.pushed:
        session.print("")
        session.print(f"Pushed {pushed.reference} into the local store: {pushed.digest}")
        session.print(f"Look at it:  layerlab inspect {pushed.reference}")
    session.say(f"{outcome.name}: {outcome.state.lower()}" + (f": {outcome.why}" if outcome.why else ""))


def _rows(task: TaskOutcome) -> list[tuple[str, str, str, str]]:
    state = "skipped" if task.state == "None" else task.state.lower()
    rows = [(task.name, "", state, task.why)]
    for step in task.steps:
        ended = (
            "not run"
            if step.status is None
            else "succeeded"
            if step.status == 0
            else f"ended with {step.status}"
        )
        rows.append(("", step.name, ended, ""))
    return rows


def _short(value: Value) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    text = printable(text.encode("utf-8", "surrogateescape")).rstrip("\n").replace("\n", "\\n")
    return text if len(text) <= _SHOWN_VALUE else text[: _SHOWN_VALUE - 1] + "…"


def _record(outcome: Outcome) -> Mapping[str, Any]:
    return {
        "name": outcome.name,
        "state": outcome.state,
        "why": outcome.why,
        "tasks": [
            {
                "name": task.name,
                "state": task.state,
                "reason": task.reason,
                "why": task.why,
                "steps": [
                    {"name": step.name, "image": step.image, "status": step.status} for step in task.steps
                ],
                "results": dict(task.results),
            }
            for task in outcome.tasks
        ],
        "results": dict(outcome.results),
        "pushed": [{"reference": each.reference, "digest": each.digest} for each in outcome.pushed],
    }
