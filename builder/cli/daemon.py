"""``layerlab daemon``: a build daemon that docker's own command line speaks to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli.registries import mirrors, registry_options
from builder.cli.session import Session
from builder.errors import BuildError, require_linux

if TYPE_CHECKING:
    import socket

    from builder.stores.layout import LayoutStore

_STRATEGIES = ("simulated", "rootless")


@click.command()
@click.option(
    "--socket",
    "path",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to listen.",
)
@click.option(
    "--strategy",
    type=click.Choice(_STRATEGIES),
    default=_STRATEGIES[0],
    show_default=True,
    help="Simulate what is built and run, or do it for real.",
)
@click.option("--group", metavar="NAME", help="Let this group open the socket too: see below.")
@registry_options
@click.pass_obj
def command(
    session: Session,
    /,
    *,
    path: Path,
    strategy: str,
    group: str | None,
    **options: tuple[str, ...],
) -> None:
    """Serve docker's clients at a socket, until Ctrl-C or SIGTERM.

    Only this user may open the socket. With --group everybody in that group may do whatever this user can do
    through the daemon: build and run anything, read every image and every build's files, push and delete. Who
    can open the socket of a daemon that runs as root is root.

    \b
    Example:
      layerlab daemon --socket /tmp/layerlab.sock
      DOCKER_BUILDKIT=0 DOCKER_HOST=unix:///tmp/layerlab.sock docker build -t web examples/nginx
    """
    require_linux("the daemon")
    import asyncio
    import secrets
    import signal
    import time
    from importlib.metadata import version

    from builder.daemon.daemon import serve
    from builder.daemon.listening import listening
    from builder.daemon.service import Configuration
    from builder.strategies.strategy import Strategy

    chosen = Strategy(strategy)
    hindrance = chosen.definition.hindrance(session.state_dir)
    if hindrance is not None:
        raise BuildError(hindrance.cause, fix=hindrance.remedy)
    configuration = Configuration(
        strategy=chosen,
        state_dir=session.state_dir,
        version=version("layerlab"),
        now_ns=time.time_ns,
        token=lambda: secrets.token_hex(32),
        mirrors=mirrors(session, options["mirrors"]),
        insecure=options["insecure"],
        proxies=session.env,
    )

    def ready() -> None:
        session.say(f"listening at {path} ({strategy})")
        if group is not None:
            session.say(f"group {group} can now do whatever this user can do through the daemon")

    async def serving(listener: socket.socket, store: LayoutStore) -> None:
        ending = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ending.set)
        await serve(listener, configuration, store, ending, ready=ready)

    with session.store() as store, listening(path, group=group) as listener:
        asyncio.run(serving(listener, store))
