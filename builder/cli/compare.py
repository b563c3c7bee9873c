"""``layerlab compare``: one Dockerfile, several ways to build it, and what each would hold in its hands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from builder.cli.inputs import open_context, pairs, read_dockerfile, read_ignore
from builder.cli.session import Session, scaled, size
from builder.comparison import Comparison, Outcome, compare
from builder.dockerfile.plan.stages import plan
from builder.image.digest import short
from builder.recipe import Recipe
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy

_DIFFERENCES_SHOWN = 40


@click.command()
@click.argument("dockerfile", type=click.Path(path_type=Path))
@click.option(
    "--context", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The build context."
)
@click.option("--build-arg", "args", multiple=True, metavar="NAME=VALUE", help="A value for an ARG.")
@click.option("--target", help="Compare the build of this stage.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.FULL.value,
    show_default=True,
    help="What the Kaniko-style scan looks at.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    session: Session,
    dockerfile: Path,
    context: Path | None,
    args: Sequence[str],
    target: str | None,
    mode: str,
    *,
    as_json: bool,
) -> None:
    """Build a Dockerfile in several ways and compare results, cost and powers.

    \b
    Example:
      layerlab compare examples/nginx/Dockerfile
    """
    path = dockerfile / "Dockerfile" if dockerfile.is_dir() else dockerfile
    directory = context or path.parent
    source = read_dockerfile(directory, str(path))
    graph = plan(source.dockerfile, target=target, build_args=pairs(args, session.env, "--build-arg"))
    with (
        session.store() as store,
        open_context(directory, read_ignore(directory, source.path), store) as files,
    ):
        recipe = Recipe(graph=graph, context=files, mode=Mode(mode))
        compared = compare(recipe, seconds=time.monotonic)
    if as_json:
        session.json(_document(compared))
    else:
        _show(session, compared)


def _document(compared: Comparison) -> dict[str, Any]:
    return {
        "builds": [
            {
                "strategy": outcome.strategy.value,
                "id": outcome.image.id,
                "layers": list(outcome.image.diff_ids),
                "same_tree": compared.same_tree(outcome.strategy),
                "entries_scanned": outcome.entries_scanned,
                "bytes_hashed": outcome.bytes_hashed,
                "bytes_copied_up": outcome.bytes_copied_up,
                "seconds": round(outcome.seconds, 3),
                "differences": [
                    {
                        "path": reason.difference.path,
                        "change": reason.difference.change.value,
                        "details": list(reason.difference.details),
                        "why": reason.why,
                    }
                    for reason in compared.reasons[outcome.strategy]
                ],
            }
            for outcome in compared.outcomes
        ],
        "powers": [{"strategy": strategy.value, **asdict(strategy.powers)} for strategy in Strategy],
    }


def _show(session: Session, compared: Comparison) -> None:
    columns = ["STRATEGY", "IMAGE", "LAYERS", "SAME TREE", "SCANNED", "HASHED", "COPIED UP", "SECONDS"]
    session.table(columns, [_row(compared, outcome) for outcome in compared.outcomes], title="Builds")
    for outcome in compared.outcomes:
        reasons = compared.reasons[outcome.strategy]
        if reasons:
            session.print("")
            session.print(f"{outcome.strategy.value} differs from {compared.outcomes[0].strategy.value} in")
        for reason in reasons[:_DIFFERENCES_SHOWN]:
            details = f" ({', '.join(reason.difference.details)})" if reason.difference.details else ""
            session.print(
                f"  {reason.difference.path}: {reason.difference.change.value}{details}: {reason.why}"
            )
        if len(reasons) > _DIFFERENCES_SHOWN:
            session.print(f"  … and {len(reasons) - _DIFFERENCES_SHOWN} more; see --json")
    if len({outcome.image.diff_ids for outcome in compared.outcomes}) > 1:
        session.print("")
        session.print(
            "Digests of layers may differ where trees do not: a scan also writes the target of a changed"
        )
        session.print("symlink, and a file that was written again with the same bytes.")
    scale = max(outcome.image.scale for outcome in compared.outcomes)
    if scale != 1:
        session.print(scaled(scale))
    session.print("")
    rows = [
        [
            strategy.value,
            strategy.powers.runs_as,
            strategy.powers.daemon,
            strategy.powers.privileged,
            strategy.powers.pod_security,
            strategy.powers.credentials,
        ]
        for strategy in Strategy
    ]
    session.table(
        ["STRATEGY", "RUNS AS", "DAEMON", "PRIVILEGED", "POD SECURITY", "CREDENTIALS"], rows, title="Powers"
    )
    session.print("")
    for strategy in Strategy:
        session.print(f"{strategy.value}: a hostile Dockerfile reaches {strategy.powers.dockerfile_reaches};")
        session.print(f"{'':{len(strategy.value)}}  a hostile job reaches {strategy.powers.job_reaches}")


def _row(compared: Comparison, outcome: Outcome) -> list[object]:
    return [
        outcome.strategy.value,
        short(outcome.image.id),
        len(outcome.image.layers),
        "yes" if compared.same_tree(outcome.strategy) else "no",
        outcome.entries_scanned,
        size(outcome.bytes_hashed),
        size(outcome.bytes_copied_up),
        f"{outcome.seconds:.2f}",
    ]
