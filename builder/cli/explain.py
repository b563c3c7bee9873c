"""``layerlab explain``: what a line of a Dockerfile adds, and what decides whether it is known already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import click

from builder.cli.inputs import open_context, pairs, read_dockerfile, read_ignore
from builder.cli.progress import shortened
from builder.cli.session import Session, size
from builder.context.selection import Source, select
from builder.dockerfile.plan.scope import Scope
from builder.dockerfile.plan.stages import ImageBase, PlannedStage, StageBase, StageGraph, plan
from builder.dockerfile.syntax.instruction import (
    Add,
    Arg,
    Copy,
    Env,
    From,
    Instruction,
    Label,
    Run,
    Transfer,
    Workdir,
)
from builder.dockerfile.variables.expand import variables
from builder.errors import BuildError, DockerfileError
from builder.protocols import Fetcher
from builder.strategies.definition import Settings
from builder.strategies.simulated import fetcher

_FILES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Explanation:
    """One instruction. ``decides``: the inputs of its cache key; ``ignored``: what looks like one."""

    where: str
    stage: str
    text: str
    adds: str
    decides: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


@click.command()
@click.argument("place")
@click.option(
    "--context", type=click.Path(exists=True, file_okay=False, path_type=Path), help="The build context."
)
@click.option("--build-arg", "args", multiple=True, metavar="NAME=VALUE", help="A value for an ARG.")
@click.option("--target", help="Explain the build of this stage.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(
    session: Session,
    place: str,
    context: Path | None,
    args: Sequence[str],
    target: str | None,
    *,
    as_json: bool,
) -> None:
    """Say what each line of a Dockerfile adds and what decides its cache; PLACE is FILE or FILE:LINE.

    \b
    Example:
      layerlab explain examples/nginx/Dockerfile:4
    """
    path, line = _place(place)
    directory = context or path.parent
    source = read_dockerfile(directory, str(path))
    graph = plan(source.dockerfile, target=target, build_args=pairs(args, session.env, "--build-arg"))
    with (
        session.store() as store,
        open_context(directory, read_ignore(directory, source.path), store) as files,
    ):
        explained = list(_explain(graph, files, fetcher(store, Settings())))
    chosen = [each for each in explained if line is None or _covers(each, line)]
    if not chosen:
        raise _nothing_there(graph, line)
    if as_json:
        session.json([asdict(each[0]) for each in chosen])
        return
    for number, (each, _) in enumerate(chosen):
        if number:
            session.print("")
        _show(session, each)


def _place(written: str) -> tuple[Path, int | None]:
    path, colon, line = written.rpartition(":")
    if colon and line.isascii() and line.isdigit() and not Path(written).exists():
        return Path(path), int(line)
    return Path(written), None


def _covers(each: tuple[Explanation, Instruction], line: int) -> bool:
    span = each[1].span
    return span.line <= line <= span.end_line


def _nothing_there(graph: StageGraph, line: int | None) -> BuildError:
    where = f"{graph.dockerfile.name}:{line}"
    for stage in graph.unused:
        if any(
            each.span.line <= (line or 0) <= each.span.end_line for each in (stage.start, *stage.instructions)
        ):
            return DockerfileError(
                f"stage {stage.title!r} is not needed for {graph.target.title!r}",
                where=where,
                fix=f"add --target {stage.title}",
            )
    return DockerfileError("no instruction stands in this line", where=where, fix="count lines from 1")


def _explain(
    graph: StageGraph, context: Source, fetcher: Fetcher
) -> Iterator[tuple[Explanation, Instruction]]:
    scopes: dict[int, Scope] = {}
    for planned in graph.stages:
        scope = Scope(
            env=_base_environment(planned, scopes, fetcher),
            below=scopes[planned.base.index] if isinstance(planned.base, StageBase) else None,
            globals_=graph.globals_,
            build_args=graph.build_args,
            escape=graph.dockerfile.escape,
        )
        yield _from(planned), planned.stage.start
        below = planned.stage.start.span
        for instruction in planned.stage.instructions:
            try:
                each = _one(planned, instruction, scope, context, f"the layers as of line {below.line}")
            except BuildError as error:
                error.where = error.where or instruction.span
                raise
            yield each, instruction
            if isinstance(instruction, Arg):
                scope.declare(instruction)
            elif isinstance(instruction, Env) and not isinstance(instruction, Label):
                scope.set(instruction.expanded(scope.lookup))
            if isinstance(instruction, Run | Transfer | Workdir):
                below = instruction.span
        scopes[planned.index] = scope


def _base_environment(
    planned: PlannedStage, scopes: Mapping[int, Scope], fetcher: Fetcher
) -> Mapping[str, str]:
    match planned.base:
        case StageBase(index=index):
            return scopes[index].env
        case ImageBase(reference=reference):
            try:
                return dict(fetcher.fetch(reference, planned.platform).config.env)
            except BuildError as error:
                error.where = error.where or planned.stage.span
                raise
    return {}


def _from(planned: PlannedStage) -> Explanation:
    start: From = planned.stage.start
    return Explanation(
        str(start.span),
        planned.title,
        shortened(start.source),
        f"nothing of its own: the stage begins with the layers and the configuration of {planned.base}",
        ("the DiffIDs of the base's layers",),
        ignored=("the base's name: the same layers under another name are the same base",),
    )


def _one(
    planned: PlannedStage, instruction: Instruction, scope: Scope, context: Source, parent: str
) -> Explanation:
    common = (str(instruction.span), planned.title, shortened(instruction.source))
    used = sorted(variables(instruction.source, instruction.escape))
    match instruction:
        case Run():
            return Explanation(
                *common, "a layer with what the command changes", *_run(instruction, scope, parent)
            )
        case Copy() | Add():
            return _transfer(common, instruction.expanded(scope.lookup), context, parent, used)
        case Workdir():
            return Explanation(
                *common,
                "the directory, if it is not there yet, and the place where later commands start",
                (parent, "the path", "the user of the stage", *_values(used, scope)),
            )
    return Explanation(
        *common,
        "no layer: a change of the image's configuration, and an entry of its history",
        (),
        ignored=("it has no cache of its own; what it sets is an input of later RUN steps",),
    )


def _run(
    instruction: Run, scope: Scope, parent: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    environment = scope.environment()
    mentioned = [name for name in environment if name in instruction.source]
    others = [name for name in environment if name not in mentioned]
    decides = [
        parent,
        "the text of the command, after SHELL",
        "the working directory and the user",
        *(f"{name}={environment[name]!r}, which the command mentions" for name in mentioned),
        *(f"{name}={environment[name]!r}, which the command could read" for name in others),
        *(f"the mount at {mount.target or mount.id}" for mount in instruction.mounts),
    ]
    ignored = (
        "what the network answers: the command is not run again because a page changed",
        "ARGs that are declared later, in another stage, or nowhere",
        "the time",
    )
    return tuple(decides), (), ignored


def _values(names: Sequence[str], scope: Scope) -> Iterator[str]:
    for name in names:
        yield f"{name}={scope.lookup(name) or ''!r}, which the line mentions"


def _transfer(
    common: tuple[str, str, str], instruction: Transfer, context: Source, parent: str, used: Sequence[str]
) -> Explanation:
    decides = [parent, "the destination and the flags"]
    from_ = instruction.from_ if isinstance(instruction, Copy) else None
    documents = [
        f"<<{document.name} ({len(document.content)} characters)" for document in instruction.documents
    ]
    if from_ is not None:
        decides.append(
            f"names, types, modes, owners and contents at {', '.join(instruction.sources)} in {from_}"
        )
        return Explanation(*common, f"a layer with copies from {from_}", tuple(decides), tuple(documents))
    remote = [source for source in instruction.sources if "://" in source]
    local = [source for source in instruction.sources if source not in remote]
    parents = isinstance(instruction, Copy) and instruction.parents
    found = select(context, local, exclude=instruction.exclude, parents=parents)
    items = [item for selected in found for item in selected.items if not item.is_directory]
    total = sum(item.status.st_size for item in items)
    decides.append(f"names, types, modes and contents of {len(items)} files of the context")
    decides += [f"what {url} answers" for url in remote]
    decides += [f"the variable {name}" for name in used]
    shown = [f"{item.path} ({size(item.status.st_size)})" for item in items[:_FILES_SHOWN]]
    if len(items) > _FILES_SHOWN:
        shown.append(f"… and {len(items) - _FILES_SHOWN} more")
    ignored = ["modification times", "files of the context that the line does not name"]
    ignored += ["the owners of the files: copies belong to 0:0"] if not instruction.chown else []
    return Explanation(
        *common,
        f"a layer with {len(items) + len(remote) + len(documents)} files, {size(total)} of the context",
        tuple(decides),
        (*shown, *remote, *documents),
        tuple(ignored),
        () if items or remote or documents else ("nothing matches: the layer will be empty",),
    )


def _show(session: Session, each: Explanation) -> None:
    session.print(f"{each.where}  [{each.stage}]  {each.text}")
    session.print(f"  adds      {each.adds}")
    for label, lines in (
        ("decides", each.decides),
        ("files", each.files),
        ("does not", each.ignored),
        ("warning", each.warnings),
    ):
        for number, line in enumerate(lines):
            session.print(f"  {label if number == 0 else '':8}  {line}")
