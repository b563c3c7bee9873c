"""``--root``, ``--snapshot-mode``, ``--ignore-path``: how a Kaniko-style build scans, and where."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from builder.cli.session import Session
from builder.image.reference import Reference
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class ScanChoice(TypedDict, total=False):
    """What of a recipe these options choose."""

    root: Path | None
    mode: Mode
    ignored: tuple[str, ...]
    credentials: bytes


def scan_options(command: CommandT) -> CommandT:
    """The options, in the order of ``--help``."""
    options = (
        click.option(
            "--root",
            type=click.Path(path_type=Path),
            metavar="DIR",
            help="Build Kaniko-style for real, in DIR: new, empty, or such a root already. It is emptied.",
        ),
        click.option(
            "--snapshot-mode",
            "mode",
            type=click.Choice([mode.value for mode in Mode]),
            help="What a Kaniko-style scan looks at  [default: full]",
        ),
        click.option(
            "--ignore-path",
            "ignored",
            multiple=True,
            metavar="PATH",
            help="Let a Kaniko-style scan leave PATH alone; may be repeated.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def scan_choice(options: Mapping[str, Any]) -> ScanChoice:
    """What was chosen."""
    mode = options["mode"]
    return {
        "root": options["root"],
        "mode": Mode.FULL if mode is None else Mode(mode),
        "ignored": tuple(options["ignored"]),
    }


def refuse_scan_options(options: Mapping[str, Any], strategy: Strategy) -> ScanChoice:
    """Nothing, where nothing was chosen; UsageError else."""
    given = {
        "--root": options["root"],
        "--snapshot-mode": options["mode"],
        "--ignore-path": options["ignored"],
    }
    for name, value in given.items():
        if value:
            raise click.UsageError(
                f"{name} is for --strategy {Strategy.KANIKO_STYLE.value}, and this is {strategy.value}"
            )
    return {}


def shown_credentials(session: Session, tags: Iterable[Reference]) -> bytes:
    """The ``config.json`` that commands find: with the credentials for where the image is pushed, no others.

    So it is in Kaniko's container; whoever builds this way is told.
    """
    from builder.transport.registry.credentials import Keyring, config_directory

    keyring = Keyring(config_directory(session.env))
    auths: dict[str, dict[str, str]] = {}
    for registry in sorted({tag.registry for tag in tags}):
        found = keyring.find(registry)
        if found is not None:
            pair = base64.b64encode(f"{found.user}:{found.secret}".encode()).decode()
            auths[registry] = {"auth": pair}
            session.say(f"warning: every RUN can read the credentials for {registry}, as under Kaniko")
    return json.dumps({"auths": auths}).encode()
