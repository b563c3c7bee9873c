"""``layerlab compare``: one Dockerfile, several ways to build it, and what each would hold in its hands."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.cli.confining import host_root
from builder.cli.contexts import named_images
from builder.cli.inputs import open_context, pairs, read_dockerfile, read_ignore
from builder.cli.session import Session, scaled, size
from builder.comparison import Comparison, Failure, Outcome, compare
from builder.dockerfile.plan.stages import ImageBase, StageGraph, plan
from builder.errors import BuildError
from builder.image.digest import short
from builder.namespace.confinement import ALLOW_HOST_ROOT, Confinement
from builder.recipe import Recipe
from builder.snapshotters.fingerprint import Mode
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from builder.image.oci import Descriptor
    from builder.image.reference import Reference

_DIFFERENCES_SHOWN = 40
_IN_MEMORY = (Strategy.SIMULATED, Strategy.KANIKO_STYLE)
_FOR_REAL = (Strategy.ROOTLESS, Strategy.KANIKO_STYLE, Strategy.PRIVILEGED, Strategy.DOCKER_SOCK)


@click.command()
@click.argument("dockerfile", type=click.Path(path_type=Path), required=False)
@click.option(
    "--context", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The build context."
)
@click.option("--build-arg", "args", multiple=True, metavar="NAME=VALUE", help="A value for an ARG.")
@click.option("--target", help="Compare the build of this stage.")
@click.option(
    "--strategies",
    metavar="NAME,NAME",
    help=f"Which, of {', '.join(each.value for each in Strategy)}  [default: all that this machine can do]",
)
@click.option(
    "--build-context",
    "contexts",
    multiple=True,
    metavar="NAME=oci-layout://PATH[:TAG]",
    help="Let an image's name mean the one in a local OCI layout.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where a real Kaniko-style build is done; it is emptied  [default: a new directory, removed again]",
)
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Where the docker daemon of docker-sock listens  [default: /var/run/docker.sock]",
)
@click.option(
    ALLOW_HOST_ROOT,
    "allow_host_root",
    is_flag=True,
    help="Accept that uid 0 of a RUN is this machine's root, and build privileged too.",
)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.FULL.value,
    show_default=True,
    help="What the Kaniko-style scan looks at.",
)
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write a page (HTML).")
@click.option("--table", "only_table", is_flag=True, help="Print the strategies as Markdown, and stop.")
@click.option("--noticed", is_flag=True, help="Print which changes each way notices, as Markdown, and stop.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(session: Session, /, dockerfile: Path | None, **options: Any) -> None:
    """Build a Dockerfile in several ways and compare results, cost and powers.

    Real base images are built with real processes, in every way that this machine can; embedded ones in
    memory.

    \b
    Example:
      layerlab compare examples/nginx/Dockerfile
    """
    if options["only_table"]:
        from builder.strategies.table import table

        session.print("\n".join(table()))
        return
    if options["noticed"]:
        from builder.snapshotters.detection import page

        session.print(page().rstrip("\n"))
        return
    if dockerfile is None:
        raise click.UsageError("Missing argument 'DOCKERFILE'.")
    compared = _compared(session, dockerfile, options)
    document = described(compared, name=str(dockerfile))
    if options["report"] is not None:
        if session.comparison_reporter is None:
            raise BuildError("nobody here can draw a report", fix="use the command layerlab")
        session.comparison_reporter(document, options["report"])
    if options["as_json"]:
        session.json(document)
    else:
        _show(session, compared)


def _compared(session: Session, dockerfile: Path, options: dict[str, Any]) -> Comparison:
    path = dockerfile / "Dockerfile" if dockerfile.is_dir() else dockerfile
    directory = options["context"] or path.parent
    source = read_dockerfile(directory, str(path))
    graph = plan(
        source.dockerfile,
        target=options["target"],
        build_args=pairs(options["args"], session.env, "--build-arg"),
    )
    with (
        session.store() as store,
        open_context(directory, read_ignore(directory, source.path), store) as files,
        _root(session, options["root"]) as root,
    ):
        images = named_images(options["contexts"], store)
        unreal = _unreal(graph, images, store) or _hindrance(session, Strategy.ROOTLESS)
        is_real = unreal is None
        chosen, hindered = _strategies(session, options, unreal)
        recipe = Recipe(
            graph=graph,
            context=files,
            mode=Mode(options["mode"]),
            images=images,
            state_dir=session.state_dir,
            root=root if is_real else None,
            socket=options["socket"],
            confinement=Confinement(host_root=host_root(options)),
        )
        compared = compare(recipe, chosen, store=store if is_real else None, seconds=time.monotonic)
    return Comparison(compared.outcomes, compared.reasons, (*compared.failures, *hindered))


def _strategies(
    session: Session, options: dict[str, Any], unreal: tuple[str, str] | None
) -> tuple[tuple[Strategy, ...], tuple[Failure, ...]]:
    """What to build with, and why not with the others that were wanted.

    ``unreal``: why nothing is built with real processes and what would help; None if something can be.
    """
    if options["strategies"] is not None:
        try:
            return tuple(Strategy(name.strip()) for name in options["strategies"].split(",")), ()
        except ValueError as error:
            names = ", ".join(each.value for each in Strategy)
            raise click.UsageError(f"--strategies: {error}; there are: {names}") from None
    if unreal is not None:
        others = (strategy for strategy in _FOR_REAL if strategy not in _IN_MEMORY)
        return _IN_MEMORY, tuple(Failure(strategy, *unreal) for strategy in others)
    hindered = []
    for strategy in _FOR_REAL:
        is_named = strategy is Strategy.DOCKER_SOCK and options["socket"] is not None
        found = None if is_named else _hindrance(session, strategy)
        if found is None and strategy is Strategy.PRIVILEGED and not options["allow_host_root"]:
            found = ("uid 0 of a RUN would be this machine's root", f"accept that with {ALLOW_HOST_ROOT}")
        if found is not None:
            hindered.append(Failure(strategy, *found))
    kept = {each.strategy for each in hindered}
    return tuple(each for each in _FOR_REAL if each not in kept), tuple(hindered)


def _hindrance(session: Session, strategy: Strategy) -> tuple[str, str] | None:
    found = strategy.definition.hindrance(session.state_dir)
    return None if found is None else (found.cause, found.remedy)


def _unreal(
    graph: StageGraph, images: Mapping[Reference, Descriptor], store: LayoutStore
) -> tuple[str, str] | None:
    """Why its base images cannot be run, and what would help; None if they can."""
    bases = [each.base.reference for each in graph.stages if isinstance(each.base, ImageBase)]
    if not bases:
        return "it has no base image whose programs a RUN could start", "name one in FROM"
    for base in bases:
        if base not in images and store.resolve(base) is None:
            pulled = f"layerlab pull {base.familiar}, or give one with --build-context"
            return f"{base.familiar} is an embedded image, whose programs are toys", pulled
    return None


@contextmanager
def _root(session: Session, chosen: Path | None) -> Iterator[Path]:
    """The root of a real Kaniko-style build: what was chosen, or one that is removed again."""
    if chosen is not None:
        yield chosen
        return
    session.state_dir.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="root-", dir=session.state_dir))
    try:
        yield place / "root"
    finally:
        shutil.rmtree(place, ignore_errors=True)


def described(compared: Comparison, *, name: str) -> dict[str, Any]:
    """All of it as JSON holds it, with where and when it was measured."""
    return {
        "dockerfile": name,
        "recorded": {
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "system": f"{platform.system()} {platform.release()}",
            "machine": platform.machine(),
            "processors": os.cpu_count(),
            "python": platform.python_version(),
        },
        "builds": [_outcome_told(compared, outcome) for outcome in compared.outcomes],
        "not_built": [
            {"strategy": each.strategy.value, "reason": each.reason, "fix": each.fix}
            for each in compared.failures
        ],
        "powers": [_powers_told(strategy) for strategy in Strategy],
    }


def _outcome_told(compared: Comparison, outcome: Outcome) -> dict[str, Any]:
    return {
        "strategy": outcome.strategy.value,
        "id": outcome.image.id,
        "layers": list(outcome.image.diff_ids),
        "same_tree": compared.same_tree(outcome.strategy),
        "entries_scanned": outcome.entries_scanned,
        "bytes_hashed": outcome.bytes_hashed,
        "bytes_copied_up": outcome.bytes_copied_up,
        "bytes_packed": outcome.bytes_packed,
        "mounts": outcome.mounts,
        "processes": outcome.processes,
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


def _powers_told(strategy: Strategy) -> dict[str, Any]:
    """The powers of a strategy, and the nodes that the attack graph lets two attackers reach."""
    from builder.security.matrix import rows

    reached = {row.approach: row for row in rows()}.get(strategy.powers.key)
    return {
        "strategy": strategy.value,
        **asdict(strategy.powers),
        "dockerfile_run": [] if reached is None else list(reached.dockerfile_reaches),
        "ci_job": [] if reached is None else list(reached.job_reaches),
    }


def _show(session: Session, compared: Comparison) -> None:
    columns = ["STRATEGY", "IMAGE", "LAYERS", "SAME TREE", "SCANNED", "HASHED", "PACKED", "COPIED UP"]
    columns += ["MOUNTS", "PROCESSES", "SECONDS"]
    session.table(columns, [_row(compared, outcome) for outcome in compared.outcomes], title="Builds")
    scale = max((outcome.image.scale for outcome in compared.outcomes), default=1)
    if scale != 1:
        session.print(scaled(scale))
    for (reason, fix), failures in groupby(compared.failures, key=lambda each: (each.reason, each.fix)):
        names = ", ".join(each.strategy.value for each in failures)
        session.print(f"not built: {names}: {reason}")
        if fix:
            session.print(f"  {fix}")
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
        size(outcome.bytes_packed),
        size(outcome.bytes_copied_up),
        outcome.mounts,
        outcome.processes,
        f"{outcome.seconds:.2f}",
    ]
