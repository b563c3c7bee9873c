"""``layerlab logout``."""

from __future__ import annotations

import click

from builder.cli.session import Session
from builder.image.reference import DEFAULT_REGISTRY


@click.command()
@click.argument("registry", default=DEFAULT_REGISTRY)
@click.pass_obj
def command(session: Session, *, registry: str) -> None:
    """Forget how to log in to a registry.

    \b
    Example:
      layerlab logout localhost:5000
    """
    from builder.transport.registry.credentials import Keyring, config_directory
    from builder.transport.registry.endpoint import host_of

    host = host_of(registry)
    known = Keyring(config_directory(session.env)).erase(host)
    session.say(f"logged out of {host}" if known else f"was not logged in to {host}")
