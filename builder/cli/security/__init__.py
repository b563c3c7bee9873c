"""``layerlab security``: what a tenant could reach, before anything is run."""

from __future__ import annotations

import click

from builder.cli.security import approaches, check, pss, reach


@click.group()
def command() -> None:
    """Say what a build could be used for: pod security, attack paths, careless settings.

    \b
    Example:
      layerlab security pss --approach kaniko
    """


command.add_command(pss.command, "pss")
command.add_command(reach.command, "reach")
command.add_command(check.command, "check")
command.add_command(approaches.command, "approaches")
