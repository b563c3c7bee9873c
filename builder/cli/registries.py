"""What all words that speak to registries have in common: their options, and how transfers are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from builder.cli.session import Session, size
from builder.events import Event, Listener, TransferBegan, TransferDone, TransferMoved, nobody
from builder.image.digest import short

if TYPE_CHECKING:
    from builder.transport.registry.repository import Registries

MIRRORS_VARIABLE: Final = "LAYERLAB_MIRRORS"

F = TypeVar("F", bound=Callable[..., Any])


def registry_options(command: F) -> F:
    """Add the options that say how registries are reached."""
    mirror = click.option(
        "--mirror",
        "mirrors",
        multiple=True,
        metavar="REGISTRY=URL",
        help="Ask this server first for the images of a registry; also in $LAYERLAB_MIRRORS.",
    )
    insecure = click.option(
        "--insecure-registry",
        "insecure",
        multiple=True,
        metavar="HOST[:PORT]",
        help="Speak to it without TLS, or with TLS that nobody vouches for.",
    )
    return mirror(insecure(command))


def mirrors(session: Session, written: tuple[str, ...]) -> tuple[str, ...]:
    """The mirrors that the options name, then those of the environment."""
    return (*written, *session.env.get(MIRRORS_VARIABLE, "").replace(",", " ").split())


@contextmanager
def registries(session: Session, named: tuple[str, ...], insecure: tuple[str, ...]) -> Iterator[Registries]:
    """All registries, as the options and the environment say to reach them."""
    from builder.transport.registry.credentials import Keyring, config_directory
    from builder.transport.registry.endpoint import Routes
    from builder.transport.registry.http import Proxies
    from builder.transport.registry.repository import Registries

    keyring = Keyring(config_directory(session.env))
    with Registries(
        Routes.parse(mirrors(session, named), insecure), keyring, proxies=Proxies.of(session.env)
    ) as found:
        yield found


@contextmanager
def transfers(session: Session, *, quiet: bool = False) -> Iterator[Listener]:
    """Shows blobs on their way: bars on a terminal, else a line for each that is done."""
    if quiet:
        yield nobody
    elif session.err.isatty():
        with _bars(session) as listener:
            yield listener
    else:
        yield _lines(session)


def _lines(session: Session) -> Listener:
    def show(event: Event) -> None:
        if isinstance(event, TransferDone):
            session.say(f"{short(event.blob)}: {event.how}, {size(event.size)}")

    return show


@contextmanager
def _bars(session: Session) -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(file=session.err)) as progress:

        def show(event: Event) -> None:
            match event:
                case TransferBegan(blob=blob, size=total):
                    tasks[blob] = progress.add_task(short(blob), total=total)
                case TransferMoved(blob=blob, count=count) if blob in tasks:
                    progress.update(tasks[blob], completed=count)
                case TransferDone(blob=blob, how=how, size=total):
                    if blob not in tasks:
                        tasks[blob] = progress.add_task(short(blob), total=max(total, 1))
                    task = progress.tasks[progress.task_ids.index(tasks[blob])]
                    progress.update(task.id, completed=task.total, description=f"{short(blob)} {how}")

        yield show
