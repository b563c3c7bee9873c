"""``layerlab fs``: play with a union of directories, layer tars and images."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

import click

from unionfs_sim.host.layer import read_directory
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import Union, mount
from unionfs_sim.nodes.caller import Clock
from unionfs_sim.overlay.options import Options
from unionfs_sim.playground import HISTORY, Playground, play_all
from unionfs_sim.profiles.profile import Profile
from unionfs_sim.tar.pack import LayerFormatError, read_layer
from unionfs_sim.typed import Usage

if TYPE_CHECKING:
    from unionfs_sim.replay import Replay


class Host(Protocol):
    """What the root of the command line offers: an image's layers, by name."""

    def layers(self, image: str, /) -> Sequence[tuple[str, Layer]]:
        """(what made it, layer), base first."""
        ...

    def attach(
        self,
        serve: Callable[[int], None],
        directory: str,
        command: Sequence[str],
        *,
        read_only: bool,
        device: str,
    ) -> int:
        """Mount what ``serve`` answers for: for ``command`` alone (its status), or for all (0)."""
        ...

    def needs_userxattr(self) -> bool:
        """Whether a real overlay mount of this user can have no ``trusted.*`` attributes."""
        ...

    def on_overlay(self, replay: Replay, /) -> bytes:
        """Mount what ``replay`` prepares on the kernel's overlayfs, for its calls alone; what it saw."""
        ...


@click.group()
def command() -> None:
    """Play with layers, and a union of them.

    \b
    Example:
      layerlab fs shell --lower examples/nginx
    """


def stack(function: click.decorators.FC) -> click.decorators.FC:
    """The options that say what to mount."""
    function = click.option(
        "-o", "--options", "written", default="", metavar="OPTIONS", help="As mount -t overlay has them."
    )(function)
    function = click.option(
        "--profile",
        type=click.Choice([profile.value for profile in Profile]),
        default=Profile.KERNEL.value,
        show_default=True,
        help="Whose rules the union follows.",
    )(function)
    function = click.option("--read-only", is_flag=True, help="No upper: writing is EROFS.")(function)
    return click.option(
        "-l",
        "--lower",
        "lowers",
        multiple=True,
        metavar="DIR|TAR|IMAGE",
        help="A lower layer; repeated from the base up. An image brings all of its layers.",
    )(function)


def mounted(
    host: Host,
    lowers: Sequence[str],
    written: str,
    *,
    read_only: bool,
    profile: str = "kernel",
    clock: Clock | None = None,
    change: Callable[[Layer], Layer] | None = None,
    history: int = HISTORY,
) -> tuple[Union, tuple[str, ...]]:
    """The union that the options ask for, and its lowers' names; ``clock``: default stands still.

    ``change``: what becomes of each lower before it is mounted. ``history``: steps that undo can take.
    """
    named = [each for lower in lowers for each in _layers(host, lower)]
    if not named or (read_only and len(named) == 1):
        named.insert(0, ("empty", Layer()))
    try:
        options = Options.parse(written)
    except OSError:
        raise click.BadParameter(f"mount would refuse these options: {written!r}", param_hint="-o") from None
    layers = [change(layer) if change is not None else layer for _, layer in named]
    try:
        union = mount(
            layers,
            None if read_only else Layer(),
            options=options,
            clock=clock,
            history=history,
            profile=Profile(profile),
        )
    except OSError as error:
        raise click.BadParameter(f"mount: {error.strerror}", param_hint="-o") from None
    return union, tuple(f"L{number} {name}"[:24] for number, (name, _) in enumerate(named))


def _layers(host: Host, lower: str) -> Sequence[tuple[str, Layer]]:
    """A directory or a layer tar is one layer; whatever else is an image, and the host's to find."""
    path = Path(lower)
    if path.is_dir() and not (path / "oci-layout").exists():
        return [(path.name, read_directory(path))]
    if path.is_file():
        try:
            with path.open("rb") as stream:
                found = read_layer(stream)
        except LayerFormatError as error:
            raise click.BadParameter(f"{lower} is not a layer tar: {error}", param_hint="--lower") from None
        if not {"oci-layout", "manifest.json"} & set(found.listdir("/")):
            return [(path.name, found)]
    return host.layers(lower)


@command.command()
@stack
@click.pass_obj
def shell(host: Host, lowers: Sequence[str], written: str, *, read_only: bool, profile: str) -> None:
    """Type commands; after each one see lowers, upper and the merged view side by side.

    \b
    Example:
      layerlab fs shell --lower examples/nginx
    """
    union, names = mounted(host, lowers, written, read_only=read_only, profile=profile)
    playground = Playground(union, names)
    interactive = sys.stdin.isatty()
    if interactive:
        import readline  # noqa: F401 - input() then has a history and can be edited

        click.echo("Type help for the commands, quit to leave.")
    _print(playground.show())
    while True:
        try:
            line = input("fs> " if interactive else "")
            _print(playground.play(line))
        except EOFError:
            return
        except KeyboardInterrupt:
            click.echo("", err=True)  # a shell gives up the line, not the session
        except Usage as error:
            click.echo(str(error), err=True)


@command.command()
@click.argument("script", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@stack
@click.option("--real", is_flag=True, help="Play it on the kernel's overlayfs as well; compare (Linux).")
@click.pass_obj
def play(
    host: Host,
    script: TextIO,
    lowers: Sequence[str],
    written: str,
    *,
    read_only: bool,
    profile: str,
    real: bool,
) -> int:
    """Run a file of playground commands and print the state after each; - is stdin.

    With --real it is played on a real mount too, which nobody else sees (without root: with
    userxattr, and everything is root's); the status is 1 if the kernel printed, shows or stored anything
    else than the model.

    \b
    Example:
      echo 'mkdir /app' | layerlab fs play -
    """
    change: Callable[[Layer], Layer] | None = None
    if real and profile != Profile.KERNEL.value:
        raise click.BadParameter("--real compares with the kernel's rules", param_hint="--profile")
    if real and host.needs_userxattr():
        from unionfs_sim.replay import owned_by_root

        change = owned_by_root
        written = ",".join(filter(None, (written, "userxattr")))
    union, names = mounted(host, lowers, written, read_only=read_only, profile=profile, change=change)
    playground = Playground(union, names)
    try:
        _print(play_all(playground, script, lambda text: f"fs> {text}"))
    except Usage as error:
        raise click.ClickException(str(error)) from None
    return _compare(host, playground) if real else 0


def _compare(host: Host, playground: Playground) -> int:
    from unionfs_sim.replay import Replay

    replay = Replay(playground.union, playground.lines())
    if host.needs_userxattr() and replay.needs_other_users:
        raise click.ClickException("su and chown cannot be replayed without root, who alone has other users")
    differences = replay.differences(host.on_overlay(replay))
    _print(["", *differences] if differences else ["", "the kernel printed, shows and stored the same"])
    return 1 if differences else 0


@command.command()
@click.argument("path")
@stack
@click.pass_obj
def explain(
    host: Host, path: str, lowers: Sequence[str], written: str, *, read_only: bool, profile: str
) -> None:
    """Say which layer answers PATH, which were asked, and why the search stopped.

    \b
    Example:
      layerlab fs explain /Dockerfile --lower examples/nginx
    """
    union, _ = mounted(host, lowers, written, read_only=read_only, profile=profile)
    click.echo(str(union.explain(os.path.normpath(os.path.join("/", path)))))


@command.command("mount", context_settings={"ignore_unknown_options": True})
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
@click.argument("run", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@stack
@click.option("--no-cache", is_flag=True, help="Let the kernel ask every time (slower; for comparing).")
@click.option("--device", default="/dev/fuse", show_default=True, metavar="NODE", help="The FUSE device.")
@click.pass_obj
def mount_for_real(
    host: Host,
    directory: str,
    run: Sequence[str],
    lowers: Sequence[str],
    written: str,
    *,
    read_only: bool,
    profile: str,
    no_cache: bool,
    device: str,
) -> int:
    """Serve the union at DIRECTORY as a real file system (Linux, /dev/fuse), for all or for one COMMAND.

    A COMMAND runs in DIRECTORY and in namespaces of its own, without root as well. What it wrote is in the
    upper in memory, and goes with the mount.

    \b
    Example:
      layerlab fs mount --lower examples/nginx /mnt -- ls -l
    """
    from unionfs_sim.fuse.served import REMEMBER_SECONDS
    from unionfs_sim.fuse.server import Server

    union, _ = mounted(
        host, lowers, written, read_only=read_only, profile=profile, clock=time.time_ns, history=0
    )
    server = Server(
        union,
        remember_seconds=0 if no_cache else REMEMBER_SECONDS,
        on_bug=lambda error: click.echo(f"layerlab: a bug in the file system: {error!r}", err=True),
    )
    return host.attach(server.serve, directory, run, read_only=read_only, device=device)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line)
