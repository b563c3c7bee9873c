"""``layerlab fs``: play with a union of directories, layer tars and images."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TextIO

import click

from builder.cli.lookup import anywhere
from builder.cli.session import Session
from builder.errors import require_linux
from builder.image.unpack import unpack_stack
from course.playground.playground import HISTORY, Playground, Usage, play_all
from course.playground.text import Line, Tone, counted
from unionfs_sim.host.layer import read_directory
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import Union, mount
from unionfs_sim.nodes.caller import Clock
from unionfs_sim.overlay.options import Options
from unionfs_sim.profiles.profile import Profile
from unionfs_sim.tar.pack import LayerFormatError, read_layer


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
    session: Session,
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
    named = [each for lower in lowers for each in _layers(session, lower)]
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


def _layers(session: Session, lower: str) -> Sequence[tuple[str, Layer]]:
    """A directory or a layer tar is one layer; whatever else is an image."""
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
    with anywhere(session, lower) as (store, image):
        made_by = [entry.created_by for entry, blob in image.steps() if blob is not None]
        return list(zip(made_by, unpack_stack(store, image.layers), strict=True))


@command.command()
@stack
@click.pass_obj
def shell(session: Session, lowers: Sequence[str], written: str, *, read_only: bool, profile: str) -> None:
    """Type commands of a shell; after each one see what it changed in the layers, and what that cost.

    \b
    Example:
      layerlab fs shell --lower examples/nginx
    """
    union, names = mounted(session, lowers, written, read_only=read_only, profile=profile)
    playground = Playground(union, names, window=_window)
    interactive = sys.stdin.isatty()
    if interactive:
        _complete(playground)
        _print([Line("A shell on a union. help says what there is besides; Ctrl-D leaves.", Tone.NOTE)])
    _print(playground.show())
    while True:
        try:
            line = input(playground.prompt if interactive else "")
            _print(playground.play(line))
        except EOFError:
            return
        except KeyboardInterrupt:
            click.echo("", err=True)  # a shell gives up the line, not the session
        except Usage as error:
            click.echo(str(error), err=True)


def _window() -> tuple[int, int]:
    size = shutil.get_terminal_size((100, 40))
    return size.columns, size.lines


def _complete(playground: Playground) -> None:
    """Let Tab complete commands and paths of the union; input() then has a history as well."""
    import readline

    def completer(text: str, number: int) -> str | None:
        found = playground.completions(text, readline.get_line_buffer())
        return found[number] if number < len(found) else None

    readline.set_completer(completer)
    readline.set_completer_delims(" \t\n;|&><")
    readline.parse_and_bind("tab: complete")


@command.command()
@click.argument("script", type=click.File("r", encoding="utf-8", errors="surrogateescape"))
@stack
@click.option("--real", is_flag=True, help="Make the same calls on the kernel's overlayfs; compare (Linux).")
@click.pass_obj
def play(
    session: Session,
    script: TextIO,
    lowers: Sequence[str],
    written: str,
    *,
    read_only: bool,
    profile: str,
    real: bool,
) -> int:
    """Run a file of lines as fs shell would and print what each did; - is stdin.

    With --real every file-system call that the shell made is made on a real mount too, which nobody else
    sees (without root: with userxattr, and everything is root's); the status is 1 if the kernel answered,
    shows or stored anything else than the model.

    \b
    Example:
      echo 'mkdir /app && echo hi > /app/f' | layerlab fs play -
    """
    change: Callable[[Layer], Layer] | None = None
    if real and profile != Profile.KERNEL.value:
        raise click.BadParameter("--real compares with the kernel's rules", param_hint="--profile")
    if real:
        require_linux("--real")
        from builder.namespace.overlaymount import needs_userxattr
        from course.playground.replay import owned_by_root

        if needs_userxattr():
            change = owned_by_root
            written = ",".join(filter(None, (written, "userxattr")))
    union, names = mounted(session, lowers, written, read_only=read_only, profile=profile, change=change)
    playground = Playground(union, names, window=_window)
    try:
        _print(play_all(playground, script))
    except Usage as error:
        raise click.ClickException(str(error)) from None
    return _compare(playground) if real else 0


def _compare(playground: Playground) -> int:
    from builder.namespace.overlaymount import needs_userxattr, on_overlay
    from course.playground.replay import Replay

    replay = Replay(playground.union, playground.calls())
    if needs_userxattr() and replay.needs_other_users:
        raise click.ClickException("su and chown cannot be replayed without root, who alone has other users")
    differences = replay.differences(on_overlay(replay))
    if differences:
        _print([Line(""), *(Line(each, Tone.GONE) for each in differences)])
        return 1
    calls = counted(len(replay.calls), "call")
    _print([Line(""), Line(f"{calls}: the kernel answered, shows and stored the same", Tone.NEW)])
    return 0


@command.command()
@click.argument("path")
@stack
@click.pass_obj
def explain(
    session: Session, path: str, lowers: Sequence[str], written: str, *, read_only: bool, profile: str
) -> None:
    """Say which layer answers PATH, which were asked, and why the search stopped.

    \b
    Example:
      layerlab fs explain /Dockerfile --lower examples/nginx
    """
    union, _ = mounted(session, lowers, written, read_only=read_only, profile=profile)
    click.echo(str(union.explain(os.path.normpath(os.path.join("/", path)))))


@command.command("mount", context_settings={"ignore_unknown_options": True})
@click.argument("directory", type=click.Path(exists=True, file_okay=False))
@click.argument("run", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@stack
@click.option("--no-cache", is_flag=True, help="Let the kernel ask every time (slower; for comparing).")
@click.option("--device", default="/dev/fuse", show_default=True, metavar="NODE", help="The FUSE device.")
@click.pass_obj
def mount_for_real(
    session: Session,
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
    require_linux("a mount that every program sees")
    from builder.namespace.fusemount import Access, Place, mounted_for, mounted_for_all
    from unionfs_sim.fuse.served import REMEMBER_SECONDS
    from unionfs_sim.fuse.server import Server

    union, _ = mounted(
        session, lowers, written, read_only=read_only, profile=profile, clock=time.time_ns, history=0
    )
    server = Server(
        union,
        remember_seconds=0 if no_cache else REMEMBER_SECONDS,
        on_bug=lambda error: click.echo(f"layerlab: a bug in the file system: {error!r}", err=True),
    )
    place = Place(directory, Access.READ_ONLY if read_only else Access.READ_WRITE, device)
    if run:
        return mounted_for(place, server.serve, run)
    said = f"mounted at {directory}; Ctrl-C or umount ends it"
    mounted_for_all(place, server.serve, ready=lambda: session.say(said))
    return 0


_COLOURS: Final = {
    Tone.NEW: "green",
    Tone.GONE: "red",
    Tone.CHANGED: "yellow",
    Tone.NOTE: "bright_black",
    Tone.ERROR: "red",
}


def _print(lines: Iterable[Line]) -> None:
    for text, tone in lines:
        click.secho(text, fg=_COLOURS.get(tone))
