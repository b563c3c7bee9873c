"""``layerlab build``: an image from a Dockerfile, with what happened on the way."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from builder.cli.caches import Place, StepRepository, bring, leave
from builder.cli.confining import confinement
from builder.cli.contexts import named_images
from builder.cli.findings import FindingTold, findings, with_costs
from builder.cli.inputs import (
    DockerfileSource,
    agents,
    open_context,
    pairs,
    read_dockerfile,
    read_ignore,
    secrets,
)
from builder.cli.limits import limit_option, limits
from builder.cli.progress import STYLES, progress
from builder.cli.registries import mirrors, registries, registry_options
from builder.cli.report import BuildReport
from builder.cli.scanning import (
    ScanChoice,
    refuse_scan_options,
    scan_choice,
    scan_options,
    shown_credentials,
)
from builder.cli.session import Session
from builder.cli.summary import layer_rows, show, weights
from builder.cli.why import show as show_steps
from builder.cli.why import show_foreseen, steps_told
from builder.context.ignore import IgnoreFile
from builder.dockerfile.plan.scope import EPOCH_ARG
from builder.dockerfile.plan.stages import StageGraph, plan
from builder.dockerfile.syntax.lexer import DEFAULT_LIMITS, Limits
from builder.engine.order import BuildResult, CacheUse, Layering
from builder.engine.weight import image_waste
from builder.errors import BuildError
from builder.events import Event, Listener, OutputPrinted, TransferMoved, tee
from builder.image.digest import short
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from builder.namespace.confinement import ALLOW_HOST_ROOT
from builder.protocols import Fetcher
from builder.recipe import Build, Dates, Recipe, built, foreseen
from builder.stores.layout import LayoutStore
from builder.strategies.definition import Bases
from builder.strategies.strategy import Strategy, strongest
from builder.transport.cache import Asked
from builder.transport.output import STDOUT, Output, OutputKind
from unionfs_sim.nodes.record import replace

if TYPE_CHECKING:
    from builder.attestation.provenance import Mode
    from builder.transport.registry.repository import Registries

_AUTO = "auto"
_KEEP = "keep"


def dates(written: str | None, build_args: dict[str, str], env_epoch: str | None) -> Dates:
    """What ``--timestamp``, the build argument or the environment ask for, in this order; else 1970."""
    chosen = written or build_args.get(EPOCH_ARG) or env_epoch or "0"
    if chosen == _KEEP:
        return Dates.kept(int(time.time()))
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 11):
        raise click.UsageError(f"--timestamp {chosen}: write seconds since 1970, or keep")
    return Dates.at(int(chosen))


@click.command()
@click.argument("context", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-f", "--file", "chosen", help="The Dockerfile  [default: CONTEXT/Dockerfile; - for stdin]")
@click.option("-t", "--tag", "tags", multiple=True, help="A name for the image; may be repeated.")
@click.option("--target", help="Build this stage instead of the last one.")
@click.option("--build-arg", "args", multiple=True, metavar="NAME=VALUE", help="A value for an ARG.")
@click.option("--platform", default="linux/amd64", show_default=True, help="What the image is for.")
@click.option(
    "--pull/--no-pull",
    default=None,
    help="Ask the registry for every base image, or for none  [default: for what is not here]",
)
@registry_options
@click.option("--push", is_flag=True, help="Send the image to where its names (-t) say.")
@click.option(
    "--cache-from",
    "caches_from",
    multiple=True,
    metavar="SPEC",
    help="type=registry,ref=NAME or type=local,src=DIR",
)
@click.option(
    "--cache-to",
    "caches_to",
    multiple=True,
    metavar="SPEC",
    help="type=registry,ref=NAME or type=local,dest=DIR",
)
@click.option(
    "--cache-repo",
    metavar="NAME",
    help="A repository with an image for each step, as Kaniko's: asked for what is not known, and added to.",
)
@click.option("--why", is_flag=True, help="Say of each step that was done which input had changed first.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Say of each step whether it is known, and why not; build nothing.",
)
@click.option("--provenance", metavar="MODE", help="Say where the image came from: mode=min or mode=max.")
@click.option("--sbom", is_flag=True, help="Say what the image holds.")
@click.option(
    "--single-snapshot",
    is_flag=True,
    help="Make one layer of each stage, as Kaniko does on request; uses no cache.",
)
@click.option("--no-cache", is_flag=True, help="Do every step, whatever earlier builds know.")
@click.option(
    "-o", "--output", "outputs", multiple=True, metavar="SPEC", help="type=oci|docker|local,dest=PATH"
)
@click.option("--progress", "style", type=click.Choice(STYLES), default="auto", show_default=True)
@click.option(
    "-q", "--quiet", is_flag=True, help="Print the image's digest; warnings go to the standard error."
)
@click.option("--secret", "secret_specs", multiple=True, metavar="id=NAME,src=FILE", help="For RUN --mount.")
@click.option(
    "--ssh", "agents", multiple=True, metavar="ID[=SOCKET]", help="An ssh agent for RUN --mount; default."
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds that one RUN may take.")
@limit_option
@click.option("--timestamp", metavar="SECONDS|keep", help="Date the image; $SOURCE_DATE_EPOCH, else 0.")
@click.option(
    "--strategy",
    "strategy_name",
    type=click.Choice([*(strategy.value for strategy in Strategy), _AUTO]),
    default=Strategy.SIMULATED.value,
    show_default=True,
    help="How to build; auto takes the strongest that works here.",
)
@click.option(
    "--socket",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The daemon that --strategy docker-sock sends the build to  [default: /var/run/docker.sock]",
)
@click.option(
    "--build-context",
    "contexts",
    multiple=True,
    metavar="NAME=oci-layout://PATH[:TAG]",
    help="Let an image's name mean the one in a local OCI layout.",
)
@click.option("--no-new-privileges", is_flag=True, help="Let sudo and su gain nothing in a real RUN.")
@click.option(
    "--strict-owner", is_flag=True, help="Refuse a real build where one user id stands for all owners."
)
@click.option("--limit-upper", metavar="SIZE", help="How much a real RUN may add: 500m, 2g.")
@click.option(
    "--ulimit", "ulimits", multiple=True, metavar="NAME=N", help="A limit of a real RUN: nproc=100."
)
@click.option(
    ALLOW_HOST_ROOT,
    "allow_host_root",
    is_flag=True,
    help="Accept that uid 0 of every RUN is this machine's root: --strategy privileged.",
)
@scan_options
@click.option("--strict", is_flag=True, help="Take no embedded base of another tag for one that is not here.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write the explorer page.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.option(
    "--max-dockerfile-size", type=click.IntRange(min=1), default=DEFAULT_LIMITS.file_bytes, hidden=True
)
@click.option(
    "--max-instructions", type=click.IntRange(min=1), default=DEFAULT_LIMITS.instructions, hidden=True
)
@click.pass_obj
def command(session: Session, /, context: Path, **options: Any) -> None:
    """Build an image from a Dockerfile.

    \b
    Example:
      layerlab build -t web examples/nginx
    """
    Invocation(session, context, options).run()


class Invocation:
    """One ``layerlab build``: its options made sense of, then the build, then the report."""

    def __init__(self, session: Session, context: Path, options: dict[str, Any]) -> None:
        self.session = session
        self.context = context
        self.options = options
        self.build_args = pairs(options["args"], session.env, "--build-arg")
        self.tags = [Reference.parse(tag) for tag in options["tags"]]
        self.outputs = [Output.parse(spec) for spec in options["outputs"]]
        self.secrets = secrets(options["secret_specs"], session.env)
        self.strategy = self._strategy(options["strategy_name"])
        if options["push"] and not self.tags:
            raise click.UsageError("--push needs a name to push to: add -t REGISTRY/NAME:TAG")
        if options["dry_run"]:
            self._refuse_what_writes()
        self.caches_from = [Place.parse("--cache-from", spec) for spec in options["caches_from"]]
        self.caches_to = [Place.parse("--cache-to", spec) for spec in options["caches_to"]]
        self.platform = Platform.parse(options["platform"])
        self.told = self._told(options["provenance"])
        self.confinement = confinement(options)
        self.dates = dates(options["timestamp"], self.build_args, session.env.get(EPOCH_ARG))
        self.events: list[Event] = []

    def _refuse_what_writes(self) -> None:
        names = {"outputs": "-o", "caches_to": "--cache-to", "push": "--push", "report": "--report"}
        for name, option in names.items():
            if self.options[name]:
                raise click.UsageError(f"--dry-run builds nothing that {option} could take: leave one out")

    def _told(self, written: str | None) -> Mode | None:
        if written is None:
            return None
        from builder.cli.attestations import mode

        return mode(written)

    def _strategy(self, name: str) -> Strategy:
        if name != _AUTO:
            return Strategy(name)
        chosen, hindered = strongest(self.session.state_dir)
        self.session.say(f"strategy: {chosen.value}")
        for strategy, hindrance in hindered:
            self.session.say(f"  not {strategy.value}: {hindrance.cause}\n    {hindrance.remedy}")
        return chosen

    def run(self) -> None:
        """Build, name, write and report; whatever fails is a BuildError."""
        limits = Limits(
            file_bytes=self.options["max_dockerfile_size"],
            instructions=self.options["max_instructions"],
        )
        source = read_dockerfile(self.context, self.options["chosen"], limits)
        graph = plan(
            source.dockerfile,
            target=self.options["target"],
            build_args=self.build_args,
            platform=self.platform,
        )
        for name in graph.unknown_args:
            self.session.say(f"warning: no ARG takes --build-arg {name}")
        with self.session.store() as store:
            self._build(graph, source, store)

    def _build(self, graph: StageGraph, source: DockerfileSource, store: LayoutStore) -> None:
        style = "quiet" if self.options["quiet"] else self.options["style"]
        with ExitStack() as stack:
            shown = stack.enter_context(progress(style, self.session.err))
            ignore = read_ignore(self.context, source.path)
            told = self._lint(source, ignore, store)
            recipe = Recipe(
                graph=graph,
                context=stack.enter_context(open_context(self.context, ignore, store)),
                strategy=self.strategy,
                name=source.path,
                cache=CacheUse.IGNORE if self.options["no_cache"] else CacheUse.TAKE,
                layering=Layering.STAGES if self.options["single_snapshot"] else Layering.STEPS,
                secrets=self.secrets,
                ssh=agents(self.options["agents"], self.session.env),
                dates=self.dates,
                timeout_seconds=self.options["timeout"],
                images=named_images(self.options["contexts"], store),
                limits=limits(self.options["limits"]),
                state_dir=self.session.state_dir,
                confinement=self.confinement,
                socket=self.options["socket"],
                bases=Bases.EXACT if self.options["strict"] else Bases.NEAREST,
                **self._scanning(),
            )
            listener = tee(shown, self._collect)
            fetching = self._fetching(store, listener)
            for place in self.caches_from:
                bring(store, place, self.platform, self._open_registries, listener)
            if self.options["dry_run"]:
                show_foreseen(
                    self.session,
                    foreseen(recipe, store, listener=listener, fetching=fetching),
                    as_json=self.options["as_json"],
                )
                return
            asked = Asked(store)
            steps = self._steps(asked, store, listener)
            with built(
                recipe,
                store,
                records=steps or asked,
                listener=listener,
                fetching=fetching,
                seconds=time.monotonic,
            ) as build:
                if steps is not None:
                    steps.leave()
                for place in self.caches_to:
                    leave(store, place, asked.keys, self.platform, self._open_registries, listener)
                stack.close()  # What was shown while it ran is complete before anything else is printed.
                named = self._attested(store, build, source)
                for tag in self.tags:
                    store.tag(tag, named)
                self._push(store, named, listener)
                self._write(store, named)
                self._explain(store, build.result)
                self._report(store, build, told)

    def _lint(
        self, source: DockerfileSource, ignore: IgnoreFile | None, store: LayoutStore
    ) -> list[FindingTold]:
        """What lint finds; BuildError if the file says ``# check=error=true`` and BuildKit finds it too."""
        told = findings(source, ignore, store)
        worst = next((each for each in told if not each.ours), None)
        if worst is not None and source.dockerfile.directive("check") is not None:
            from builder.dockerfile.lint.lint import fails

            if fails(source.dockerfile):
                fix = "mend it, or leave error=true out of the line # check="
                raise BuildError(f"{worst.rule}: {worst.message}", where=worst.where, fix=fix)
        return told

    def _steps(self, asked: Asked, store: LayoutStore, listener: Listener) -> StepRepository | None:
        """The repository that ``--cache-repo`` names."""
        name = self.options["cache_repo"]
        if name is None:
            return None
        repository = Reference.parse(name)
        return StepRepository(asked, store, repository, self.platform, self._open_registries, listener)

    def _scanning(self) -> ScanChoice:
        """What a Kaniko-style build is told; UsageError for its options with another strategy."""
        choice = scan_choice(self.options)
        if self.strategy is not Strategy.KANIKO_STYLE:
            return refuse_scan_options(self.options, self.strategy)
        if choice["root"] is not None and self.options["push"]:
            choice["credentials"] = shown_credentials(self.session, self.tags)
        return choice

    def _fetching(self, store: LayoutStore, listener: Listener) -> Callable[[Fetcher], Fetcher]:
        """How FROM finds what is not here: by ``--pull``, and by whether the build is a real one."""

        def fetching(here: Fetcher) -> Fetcher:
            from builder.transport.registry.fetcher import Policy, RegistryFetcher

            kaniko_in_memory = self.strategy is Strategy.KANIKO_STYLE and self.options["root"] is None
            simulated = self.strategy is Strategy.SIMULATED or kaniko_in_memory
            policy = {True: Policy.ALWAYS, False: Policy.NEVER}.get(
                self.options["pull"], Policy.NAMED if simulated else Policy.MISSING
            )
            if self.options["dry_run"]:
                policy = Policy.NEVER
            named = mirrors(self.session, self.options["mirrors"])
            return RegistryFetcher(
                here,
                store,
                self._open_registries,
                policy=policy,
                mirrored=frozenset(each.partition("=")[0] for each in named),
                listener=listener,
            )

        return fetching

    def _collect(self, event: Event) -> None:
        """Keep what happened for reports, but for what has no bound: output of commands, bytes moved."""
        if not isinstance(event, OutputPrinted | TransferMoved):
            self.events.append(event)

    def _push(self, store: LayoutStore, manifest: Descriptor, listener: Listener) -> None:
        if not self.options["push"]:
            return
        from builder.transport.registry.push import push

        with self._open_registries() as opened:
            for tag in self.tags:
                push(store, opened, manifest, tag, listener=listener)

    def _open_registries(self) -> AbstractContextManager[Registries]:
        return registries(self.session, self.options["mirrors"], self.options["insecure"])

    def _attested(self, store: LayoutStore, build: Build, source: DockerfileSource) -> Descriptor:
        """What names the image: its manifest, or an index with what is said about it."""
        if self.told is None and not self.options["sbom"]:
            return build.result.manifest
        from builder.cli.attestations import tied, with_provenance, with_sbom

        name = self.tags[0].familiar if self.tags else "image"
        said = []
        if self.told is not None:
            said.append(with_provenance(store, build, source, self.build_args, self.told))
        if self.options["sbom"]:
            said.append(with_sbom(store, build, name))
        return tied(store, replace(build.result.manifest, platform=build.result.image.platform), said, name)

    def _write(self, store: LayoutStore, manifest: Descriptor) -> None:
        if not self.outputs:
            return
        from builder.transport.save import Named, export

        for output in self.outputs:
            if output.dest == STDOUT and sys.stdout.isatty():
                raise BuildError(
                    "an archive cannot be written to a terminal", fix="give dest=FILE, or a pipe"
                )
            named = Named(manifest, tuple(self.tags))
            export(store, [named], output, stdout=sys.stdout.buffer)

    def _explain(self, store: LayoutStore, result: BuildResult) -> None:
        """Write the page of ``--report``."""
        target = self.options["report"]
        if target is None:
            return
        if self.session.reporter is None:
            raise BuildError("nobody here can draw a report", fix="use the command layerlab")
        sizes = {
            str(blob.diff_id): blob.descriptor.size for stage in result.stages for blob in stage.image.layers
        }
        name = self.tags[0].familiar if self.tags else short(result.image.id)
        from builder.image.unpack import unpack_stack

        layers = tuple(unpack_stack(store, result.image.layers))
        report = BuildReport(name, result.image, layers, tuple(self.events), sizes)
        self.session.reporter(report, target)

    def _report(self, store: LayoutStore, build: Build, told: Sequence[FindingTold]) -> None:
        result = build.result
        if any(output.dest == STDOUT for output in self.outputs):
            return
        if self.options["quiet"] and not self.options["as_json"]:
            self.session.print(result.manifest.digest)
            return
        if self.options["why"] and not self.options["as_json"]:
            show_steps(self.session, steps_told(self.events))
        rows = layer_rows(result.image, store, store)
        weighed = weights(build)
        waste = image_waste(store, result.image, store)
        target = build.recipe.graph.target.index
        told = with_costs(told, self.events, target, result.image, waste)
        if self.options["as_json"]:
            from dataclasses import asdict  # here, as only JSON needs it

            self.session.json(
                {
                    "digest": result.manifest.digest,
                    "id": result.image.id,
                    "names": [tag.familiar for tag in self.tags],
                    "layout": str(self.session.state_dir),
                    "layers": [asdict(row) for row in rows],
                    **(
                        {"steps": [asdict(step) for step in steps_told(self.events)]}
                        if self.options["why"]
                        else {}
                    ),
                    "stages": [asdict(stage) for stage in weighed],
                    "scale": max(stage.image.scale for stage in result.stages),
                    "waste": {
                        "size_bytes": waste.size_bytes,
                        "wasted_bytes": waste.wasted_bytes,
                        "largest": [asdict(each) for each in waste.largest],
                    },
                    "findings": [asdict(each) for each in told],
                }
            )
            return
        show(self.session, build, rows, weighed, waste, told)
        self._where(result)

    def _where(self, result: BuildResult) -> None:
        names = ", ".join(tag.familiar for tag in self.tags) or "no name: give one with -t"
        self.session.print("")
        self.session.print(f"Image {short(result.image.id)} ({names})")
        self.session.print(f"Its OCI image layout: {self.session.state_dir}")
        for line in _written(self.outputs):
            self.session.print(line)
        if self.tags:
            loading = f"layerlab save {self.tags[0].familiar}"
        else:
            loading = f"layerlab build -o type=docker,dest=- {shlex.quote(str(self.context))}"
        self.session.print(f"Load it into docker:  {loading} | docker load")


def _written(outputs: Sequence[Output]) -> list[str]:
    """Where the image was written besides the store."""
    kinds = {OutputKind.LOCAL: "Its files", OutputKind.DOCKER: "Archive for docker load"}
    return [f"{kinds.get(output.kind, 'OCI image')}: {output.dest}" for output in outputs]
