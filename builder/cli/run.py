"""``layerlab run``: an image's command, in the simulated world or as a real process (``container``)."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from builder.cli.inputs import pairs
from builder.cli.limits import limit_option, limits
from builder.cli.lookup import find_or_embedded
from builder.cli.session import Session, visible
from builder.errors import BuildError, require_linux
from builder.image.image import Image
from builder.image.unpack import unpack_stack
from builder.protocols import Command
from builder.runners.simulated import run_container
from builder.stores.lookup import find
from builder.strategies.simulated import programs
from builder.world.machine.executable import ExecError
from builder.world.machine.limits import Limits
from builder.world.machine.network import HttpRequest, Network, Serving
from builder.world.supplies.internet import toy_internet
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import mount

_SIMULATED, _ROOTLESS = "simulated", "rootless"
_OK = range(200, 400)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("image")
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@click.option(
    "--get", "paths", multiple=True, metavar="PATH", help="If it serves, ask for PATH; may be repeated."
)
@click.option("--port", type=click.IntRange(1, 65535), help="Which port --get asks  [default: the first]")
@limit_option
@click.option("-e", "--env", "variables", multiple=True, metavar="NAME=VALUE", help="Set a variable.")
@click.option("-w", "--workdir", help="Where the command starts.")
@click.option("-u", "--user", help="Whom it runs as.")
@click.option("--entrypoint", help="Run this instead of the image's entry point.")
@click.option(
    "--strategy",
    type=click.Choice([_SIMULATED, _ROOTLESS]),
    default=_SIMULATED,
    show_default=True,
    help="Simulate the command, or run it for real; the options below are for real ones.",
)
@click.option(
    "-p",
    "--publish",
    "published",
    multiple=True,
    metavar="[ADDRESS:]PORT:PORT",
    help="Let a port here (at 127.0.0.1) lead to one inside.",
)
@click.option("-v", "--volume", "volumes", multiple=True, metavar="SOURCE:TARGET[:rw]", help="Show a path.")
@click.option("-i", "--interactive", is_flag=True, help="Pass the input on.")
@click.option("-t", "--tty", "has_terminal", is_flag=True, help="Give it a terminal.")
@click.option(
    "--network",
    type=click.Choice(["none", "host"]),
    default="none",
    show_default=True,
    help="Its own network, which leads nowhere, or this machine's.",
)
@click.option("--no-new-privileges", is_flag=True, help="Let sudo and su gain nothing.")
@click.option("--strict-owner", is_flag=True, help="Refuse where one user id stands for all owners.")
@click.option("--rm", is_flag=True, help="Nothing of a command ever stays; for those used to docker.")
@click.pass_obj
def command(session: Session, /, image: str, words: tuple[str, ...], **options: object) -> int:
    """Run an image's command; options stand before IMAGE, --get also behind it.

    \b
    Example:
      layerlab run web --get /
    """
    behind, words = _paths_behind(words)
    paths = [*(str(path) for path in _many(options["paths"])), *behind]
    with session.store() as store:
        if options["strategy"] == _ROOTLESS:
            require_linux("a real container")
            from builder.cli import container

            named = find(store, image)
            job = _job(session, named.image, words, options)
            return container.run(session, store, named, job, {**options, "paths": paths})
        _refuse_what_is_real(options)
        found = find_or_embedded(store, image).image
        layers = [Layer().freeze(), *unpack_stack(store, found.layers)]
        job = _job(session, found, words, options)
        allowed = limits(str(each) for each in _many(options["limits"]))
        return _Container(layers, job, allowed).run(paths, options["port"])


def _refuse_what_is_real(options: dict[str, object]) -> None:
    """Raise UsageError for what only a real command can have."""
    given = {"-p": options["published"], "-v": options["volumes"], "-t": options["has_terminal"]}
    for name, value in given.items():
        if value:
            raise click.UsageError(f"{name} needs a real command: --strategy rootless")


def _paths_behind(words: tuple[str, ...]) -> tuple[list[str], tuple[str, ...]]:
    """The paths of ``--get`` directly behind the image's name, and the command's words."""
    paths: list[str] = []
    while words and words[0] == "--get" and len(words) > 1:
        paths.append(words[1])
        words = words[2:]
    return paths, words


def _many(value: object) -> Sequence[object]:
    return value if isinstance(value, (tuple, list)) else ()


def _job(session: Session, image: Image, words: tuple[str, ...], options: dict[str, object]) -> Command:
    """What docker run would start."""
    config = image.config
    entrypoint = config.entrypoint or ()
    arguments = words or (config.cmd or ())
    if options["entrypoint"] is not None:
        entrypoint = tuple(shlex.split(str(options["entrypoint"])))
        arguments = words
    argv = (*entrypoint, *arguments)
    if not argv:
        raise BuildError("the image has no command", fix="say what to run after the image's name")
    given = pairs([str(each) for each in _many(options["variables"])], session.env, "--env")
    return Command(
        argv=argv,
        env={**config.env, **given},
        cwd=str(options["workdir"] or config.working_dir or "/"),
        user=str(options["user"] or config.user),
    )


@dataclass(frozen=True, slots=True)
class _Container:
    """A fresh upper layer on the image's layers."""

    layers: list[Layer]
    job: Command
    limits: Limits

    def run(self, paths: Sequence[str], port: object) -> int:
        """The exit status of the command, or 0 if it serves and answers what is asked."""
        network = Network()
        root = mount(self.layers, Layer())
        try:
            # With --get the answer is what the server answers; what it logs is talk.
            return run_container(
                root,
                self.job,
                programs(),
                toy_internet(),
                listeners=network,
                output=_talk if paths else _print,
                limits=self.limits,
            )
        except ExecError as error:
            click.echo(f"layerlab: {visible(self.job.argv[0])}: {error.message}", err=True)
            return error.status
        except Serving as serving:
            if not paths:
                ports = ", ".join(map(str, serving.ports))
                click.echo(f"{serving.name} serves on port {ports}; ask it with --get /", err=True)
                return 0
            asked = port if isinstance(port, int) else serving.ports[0]
            return max(_ask(network, asked, path) for path in paths)


def _print(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _talk(piece: bytes) -> None:
    sys.stderr.buffer.write(piece)
    sys.stderr.buffer.flush()


def _ask(network: Network, port: int, path: str) -> int:
    """Print what the server answers; 1 if that is an error."""
    try:
        answer = network.request(port, HttpRequest(target=path if path.startswith("/") else f"/{path}"))
    except ConnectionRefusedError:
        ports = ", ".join(map(str, network.ports))
        raise BuildError(f"nobody listens on port {port}", fix=f"the command listens on {ports}") from None
    click.echo(f"GET {path}: {answer.status} {answer.reason}", err=True)
    _print(answer.body)
    return 0 if answer.status in _OK else 1
