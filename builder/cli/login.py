"""``layerlab login``."""

from __future__ import annotations

import sys

import click

from builder.cli.registries import registries, registry_options
from builder.cli.session import Session
from builder.image.reference import DEFAULT_REGISTRY

_MAX_PASSWORD = 65_536


@click.command()
@click.argument("registry", default=DEFAULT_REGISTRY)
@click.option("-u", "--username", help="Who to be there.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the standard input.")
@registry_options
@click.pass_obj
def command(
    session: Session,
    *,
    registry: str,
    username: str | None,
    password_stdin: bool,
    mirrors: tuple[str, ...],
    insecure: tuple[str, ...],
) -> None:
    """Log in to a registry, and keep what is needed for it where docker keeps it.

    \b
    Example:
      layerlab login -u alice --password-stdin localhost:5000 < password.txt
    """
    from builder.transport.registry.credentials import Credentials
    from builder.transport.registry.endpoint import host_of
    from builder.transport.registry.login import log_in

    host = host_of(registry)
    if password_stdin:
        if username is None:
            raise click.UsageError("--password-stdin needs --username")
        password = sys.stdin.buffer.read(_MAX_PASSWORD).decode("utf-8", "surrogateescape").rstrip("\r\n")
    else:
        if not sys.stdin.isatty():
            raise click.UsageError("nobody to ask for the password: add --password-stdin")
        username = username or click.prompt("Username", err=True)
        password = click.prompt("Password", hide_input=True, err=True)
    if not password:
        raise click.UsageError("the password is empty")
    with registries(session, mirrors, insecure) as known:
        kept = log_in(known, host, Credentials(username, password))
    session.say(f"logged in to {host} as {username}; kept in {kept}")
