"""The command ``layerlab``: a table of words, each loaded when it is typed.

The only reader of the environment and of the command line. Everything below is told what it needs
through a ``Session``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import click

from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.cli.report import BuildReport

WORDS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "build": ("builder.cli.build", "Build an image from a Dockerfile."),
        "run": ("builder.cli.run", "Run an image's command, simulated or for real."),
        "images": ("builder.cli.images", "List the images in the local store."),
        "history": ("builder.cli.history", "Show which instruction made which layer."),
        "inspect": ("builder.cli.inspect", "Print an image's config and manifest."),
        "tag": ("builder.cli.tag", "Give an image another name."),
        "rmi": ("builder.cli.rmi", "Remove an image's name, and blobs that nothing names."),
        "pull": ("builder.cli.pull", "Fetch an image from its registry."),
        "push": ("builder.cli.push", "Send an image to a registry."),
        "login": ("builder.cli.login", "Log in to a registry."),
        "logout": ("builder.cli.logout", "Forget how to log in to a registry."),
        "registry": ("builder.cli.registry", "Serve a small registry."),
        "daemon": ("builder.cli.daemon", "Serve docker's clients: build, run, pull, push."),
        "save": ("builder.cli.save", "Write an image to an archive."),
        "load": ("builder.cli.load", "Read images from an archive or a layout."),
        "image": ("builder.cli.image", "Look inside an image: tree, diff."),
        "lint": ("builder.cli.lint", "Check a Dockerfile for mistakes."),
        "explain": ("builder.cli.explain", "Say what a line adds and what decides its cache."),
        "compare": ("builder.cli.compare", "Build one Dockerfile in several ways and compare."),
        "doctor": ("builder.cli.doctor", "Say which ways to build this machine can do."),
        "pipeline": ("builder.cli.pipeline", "Write, check and play Tekton pipelines."),
        "security": ("builder.cli.security", "Say what a tenant could reach: pods, attack paths."),
        "open": ("course.open", "Write an explorer page of an image."),
        "fs": ("course.playground.cli", "Play with layers and a union of them."),
        "node": ("course.node.cli", "Try attacks from a build on a node in memory."),
        "learn": ("course.learn", "Lessons and graded exercises."),
    }
)
"""Word → the module whose ``command`` it is, and the line that ``--help`` shows for it."""

_ELSEWHERE: Final = {
    "ps": "nothing runs in the background here, layerlab run ends with its command",
    "exec": "a container ends with its command, layerlab run IMAGE COMMAND runs another one",
    "stop": "nothing runs in the background here; Ctrl-C ends layerlab run",
    "logs": "layerlab run prints what the command says",
    "rm": "containers are not kept; layerlab rmi removes images",
    "create": "layerlab run makes a container and runs it",
    "commit": "layerlab fs shell writes a layer, and layerlab build an image",
    "info": "layerlab doctor says what this machine can do",
    "system": "layerlab image df says what the store takes, layerlab image prune frees it",
    "buildx": "layerlab build has its options",
    "import": "layerlab load reads archives and layouts",
    "export": "layerlab build -o type=local,dest=DIR writes the files of an image",
}
"""Words of docker that are not here, and what is."""

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells say it."""


class LateGroup(click.Group):
    """A group whose commands are imported when they are invoked, so that --help stays cheap."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The words, in the order of the table."""
        return list(WORDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command behind a word, or None if there is no such word."""
        if cmd_name not in WORDS:
            return None
        command = import_module(WORDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the words begin with; UsageError says what was probably meant."""
        word = args[0]
        if word in WORDS or word.startswith("-"):
            return super().resolve_command(ctx, args)
        if word in _ELSEWHERE:
            raise click.UsageError(f"No such command {word!r}: {_ELSEWHERE[word]}.", ctx)
        import difflib

        near = difflib.get_close_matches(word, WORDS, n=1)
        guess = f" Did you mean {near[0]}?" if near else " Try 'layerlab --help'."
        raise click.UsageError(f"No such command {word!r}.{guess}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table of words without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(word, line) for word, (_, line) in WORDS.items()])


def state_directory(env: Mapping[str, str]) -> Path:
    """Where images and records are kept (XDG Base Directory Specification, "XDG_STATE_HOME").

    >>> state_directory({"LAYERLAB_HOME": "/srv/lab"}).as_posix()
    '/srv/lab'
    """
    if chosen := env.get("LAYERLAB_HOME"):
        return Path(chosen)
    if os.path.isabs(base := env.get("XDG_STATE_HOME", "")):  # a relative one "should be considered invalid"
        return Path(base) / "layerlab"
    return (
        Path(env.get("HOME") or env.get("USERPROFILE") or _home_in_passwd()) / ".local" / "state" / "layerlab"
    )


def _home_in_passwd() -> str:
    """Where this user is at home by the user database; the root if it does not know the user."""
    import pwd  # not on every platform, and seldom needed

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        return "/"


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="layerlab")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where images are kept  [default: $LAYERLAB_HOME, else $XDG_STATE_HOME/layerlab]",
)
@click.pass_context
def cli(context: click.Context, state: Path | None) -> None:
    """Take a container image apart: layers, builds, and what lies between.

    \b
    Example:
      layerlab build -t web examples/nginx
      layerlab run web --get /
    """
    from builder.cli.session import Session

    env = dict(os.environ)
    context.obj = Session(
        state_dir=state or state_directory(env),
        env=env,
        reporter=_write_report,
        comparison_reporter=_write_comparison,
    )


def _write_comparison(document: Mapping[str, Any], target: Path) -> None:
    from course.figures.comparison_page import page
    from course.figures.picture import write_whole

    write_whole(target, page(document).encode())
    click.echo(f"{target}: the comparison as a page", err=True)


def _write_report(report: BuildReport, target: Path) -> None:
    from course.figures.explorer import page
    from course.figures.picture import write_whole

    text = page(
        report.name,
        report.image,
        report.layers,
        events=report.events,
        size_of=lambda diff_id: report.sizes.get(diff_id, 0),
    )
    write_whole(target, text.encode())
    click.echo(f"{target}: the explorer page", err=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    _open_streams()
    status = run(sys.argv[1:] if argv is None else list(argv))
    try:
        sys.stdout.flush()
    except OSError:  # has been said; the interpreter would try once more at its end, and complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if status == INTERRUPTED:
        # Where an interrupt passed through exec() or eval(), as dataclasses use them, CPython remembers it
        # as unhandled (run_eval_code_obj, Python/pythonrun.c) and would end by the signal at its exit.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _open_streams() -> None:
    """Let the three streams exist, and write signs that the terminal's encoding lacks as ``\\uNNNN``.

    Else the first file opened would be descriptor 0, 1 or 2. A closed stdin is empty and a closed stderr
    swallows, but an answer that nobody can get is an error: stdout refuses it (as glibc's check_fds does).
    """
    for descriptor, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free descriptor: this one
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def run(argv: Sequence[str]) -> int:
    """The exit status of one command line; says on stderr what went wrong."""
    try:
        status = cli.main(args=list(argv), prog_name="layerlab", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BuildError as error:
        from builder.cli.session import visible

        click.echo(f"layerlab: {visible(str(error))}", err=True)
        return 1
    except BrokenPipeError:
        return 1  # the reader of our answer has left, as head does
    except OSError as error:
        if error.strerror is None:
            raise
        place = f"{os.fsdecode(error.filename)}: " if error.filename is not None else ""
        click.echo(f"layerlab: {place}{error.strerror}", err=True)
        return 1
    except RecursionError:
        click.echo("layerlab: what was given is nested too deeply", err=True)
        return 1
    except MemoryError:
        click.echo("layerlab: out of memory", err=True)
        return 1
    return status if isinstance(status, int) else 0


if __name__ == "__main__":
    main()
