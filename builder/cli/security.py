"""``layerlab security``: what a tenant could reach, before anything is run."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.cli.session import Session
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.security.documents import Document
    from builder.security.pods import Pod
    from builder.security.pss import Verdict


@click.group()
def command() -> None:
    """Check what a build could be used for: pod security, attack paths, careless settings.

    \b
    Example:
      layerlab security pss --approach kaniko
    """


@command.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option("--approach", "approaches", multiple=True, metavar="NAME", help="The pod of a way to build.")
@click.option("--version", default="latest", show_default=True, help="The policy's version: v1.0 to v1.37.")
@click.option(
    "--require",
    type=click.Choice(["baseline", "restricted"]),
    help="Fail if a pod does not meet this level.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def pss(
    session: Session,
    files: Sequence[str],
    approaches: Sequence[str],
    version: str,
    require: str | None,
    *,
    as_json: bool,
) -> int:
    """Say which Pod Security Standard the pods of FILE meet, and what keeps them from a stricter one.

    FILE is YAML or JSON with any number of documents, or - for the standard input. A pod is found on its
    own and in Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs
    and PodTemplates.

    \b
    Example:
      layerlab security pss --approach kaniko --approach docker-socket
      layerlab security pss --approach no-run --version v1.25 --require restricted
    """
    from builder.security.pss import Level, judge, version_from

    minor = version_from(version)
    source = _Source(session, files, approaches)
    verdicts = [judge(pod, minor) for pod in source.pods()]
    if as_json:
        session.json([_record(verdict) for verdict in verdicts])
    elif verdicts:
        session.table(
            ("FILE", "POD", "LEVEL", "BREAKS BASELINE", "BREAKS RESTRICTED"),
            [_row(each) for each in verdicts],
        )
        for violation in (each for verdict in verdicts for each in verdict.violations):
            session.print(str(violation))
    if source.failed or not verdicts:
        return 1
    wanted = Level(require).rank if require else 0
    return 1 if any(verdict.level.rank < wanted for verdict in verdicts) else 0


class _Source:
    """The pods that a command line names. A file that cannot be read is told of, and the next one is read."""

    def __init__(self, session: Session, files: Sequence[str], approaches: Sequence[str]) -> None:
        if not files and not approaches:
            raise click.UsageError("name a FILE, - for the standard input, or --approach NAME")
        self._session = session
        self._files = files
        self._approaches = approaches
        self.failed = False

    def pods(self) -> Iterator[Pod]:
        """The pods, in the order in which they were named."""
        from builder.security.approaches import pod
        from builder.security.pods import pods_of

        for name in self._approaches:
            yield pod(name)
        for name in self._files:
            try:
                documents = read_documents(name)
                found = tuple(pods_of(documents))
            except BuildError as error:
                self.failed = True
                self._session.say(f"layerlab: {error}")
                continue
            if not found:
                self._session.say(f"{name}: no pod in it{_kinds(documents)}")
            yield from found


def read_documents(name: str) -> tuple[Document, ...]:
    """The documents of the file ``name``, or of the standard input; BuildError if it cannot be read."""
    from builder.security.documents import LIMITS, read

    if name == "-":
        return read(sys.stdin.buffer.read(LIMITS.file_bytes + 1), "stdin")
    try:
        with Path(name).open("rb") as stream:
            return read(stream.read(LIMITS.file_bytes + 1), name)
    except OSError as error:
        raise BuildError(f"cannot read it: {error.strerror}", where=name) from None


def _kinds(documents: Sequence[Document]) -> str:
    """What was found instead of pods, in brackets."""
    from builder.security.pods import objects_of

    kinds = {fields.text("kind") or "" for document in documents for fields in objects_of(document)}
    return f" ({', '.join(sorted(kinds))})" if kinds else ""


def _row(verdict: Verdict) -> tuple[object, ...]:
    from builder.security.pss import Level

    baseline = [each for each in verdict.violations if each.level is Level.BASELINE]
    return (
        verdict.pod.document.name,
        verdict.pod,
        verdict.level.value,
        len(baseline),
        len(verdict.violations) - len(baseline),
    )


def _record(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.pod.document.name,
        "line": verdict.pod.document.line,
        "kind": verdict.pod.kind,
        "name": verdict.pod.name,
        "version": f"v1.{verdict.version}",
        "level": verdict.level.value,
        "violations": [
            {
                "check": each.check,
                "level": each.level.value,
                "field": each.field,
                "line": each.line,
                "found": each.found,
                "wanted": each.wanted,
            }
            for each in verdict.violations
        ],
    }
