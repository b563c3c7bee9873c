"""``layerlab security pss``: which Pod Security Standard a pod meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from builder.cli.security.manifests import Manifests
from builder.cli.session import Session

if TYPE_CHECKING:
    from builder.cli.security.manifests import Written
    from builder.security.pss import Verdict


@click.command()
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
def command(
    session: Session,
    files: Sequence[str],
    approaches: Sequence[str],
    version: str,
    require: str | None,
    *,
    as_json: bool,
) -> int:
    """Say which Pod Security Standard the pods of FILE meet, and what keeps them from a stricter one.

    FILE is YAML or JSON with any number of documents, a directory with such files, or - for stdin. A pod is
    found on its own and in Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs,
    CronJobs, PodTemplates, and Tekton's tasks and runs.

    \b
    Example:
      layerlab security pss --approach kaniko --approach docker-socket
      layerlab security pss --approach no-run --version v1.25 --require restricted
    """
    from builder.security.pss import Level, judge, version_from

    minor = version_from(version)
    source = Manifests(session, files, approaches)
    found = list(source.pods())
    verdicts = [judge(each.pod, minor) for each in found]
    if as_json:
        session.json([_record(each, verdict) for each, verdict in zip(found, verdicts, strict=True)])
    elif verdicts:
        session.table(
            ("FILE", "POD", "LEVEL", "BREAKS BASELINE", "BREAKS RESTRICTED"),
            [_row(each) for each in verdicts],
        )
        for each, verdict in zip(found, verdicts, strict=True):
            for violation in verdict.violations:
                session.print(f"{each.where(violation.path)}: {violation.what}")
    if source.failed or not verdicts:
        return 1
    wanted = Level(require).rank if require else 0
    return 1 if any(verdict.level.rank < wanted for verdict in verdicts) else 0


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


def _record(written: Written, verdict: Verdict) -> dict[str, Any]:
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
                **dict(zip(("file", "line", "field"), written.place(each.path), strict=True)),
                "found": each.found,
                "wanted": each.wanted,
            }
            for each in verdict.violations
        ],
    }
