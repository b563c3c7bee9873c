"""``layerlab registry serve``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from builder.cli.session import Session


@click.group()
def command() -> None:
    """A small registry, for this machine.

    \b
    Example:
      layerlab registry serve --port 5000 ./images
    """


@command.command()
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5000, show_default=True, help="0: any free one."
)
@click.option("-q", "--quiet", is_flag=True, help="Do not print a line for each request.")
@click.pass_obj
def serve(session: Session, *, directory: Path | None, host: str, port: int, quiet: bool) -> None:
    """Serve the images in DIRECTORY until Ctrl-C, and take what is pushed  [default: STATE/registry].

    It has no users and no TLS. DIRECTORY is an OCI image layout.

    \b
    Example:
      layerlab registry serve --port 0 ./images
    """
    from builder.errors import RegistryError
    from builder.stores.layout import LayoutStore
    from builder.transport.registry.server import RegistryServer
    from builder.transport.registry.shelf import Shelf

    place = directory or session.state_dir / "registry"

    def log(line: str) -> None:
        if not quiet:
            session.say(line)

    with LayoutStore(str(place)) as store:
        try:
            server = RegistryServer(Shelf(store), scratch=str(place), host=host, port=port, log=log)
        except OSError as error:
            raise RegistryError(f"cannot listen there: {error.strerror}", where=f"{host}:{port}") from None
        with server, suppress(KeyboardInterrupt):  # Ctrl-C is how one ends a server.
            session.print(f"registry at {server.url}")
            session.out.flush()
            server.serve_forever(poll_interval=0.1)
