"""``layerlab node``: try attacks on a node that is files in memory, and see what stops them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from builder.cli.session import Session, visible
from builder.errors import BuildError
from builder.security.graph import Start
from builder.world.shell.interactive import Leave
from course.catalogue import LANGUAGES, Catalogue, language_of
from course.node.node import Node
from course.node.telling import played

STARTS = {"job": Start.JOB, "dockerfile": Start.DOCKERFILE}


@click.group()
def command() -> None:
    """Try attacks from a build, on a node that is files in memory.

    \b
    Example:
      layerlab node shell --approach docker-socket
    """


@command.command()
@click.argument("file", required=False)
@click.option("--approach", metavar="NAME", help="The pod of a way to build  [default: docker-socket]")
@click.option("--builder", metavar="KIND", help="The kind of builder  [default: what the pod's image names]")
@click.option(
    "--as",
    "start",
    type=click.Choice(tuple(STARTS)),
    default="job",
    show_default=True,
    help="Who you are: who chose the job's command, or who wrote a RUN line.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME[=no]", help="A setting or fact of the cluster."
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language  [default: as LANG says, else en]")
@click.pass_obj
def shell(
    session: Session,
    file: str | None,
    approach: str | None,
    builder: str | None,
    start: str,
    settings: Sequence[str],
    lang: str | None,
) -> int:
    """Type commands in a build's container: what each reached, by which steps, or what stopped it.

    The pod is that of FILE or of a way to build. Besides a shell there are docker, mount and the words goals,
    why NODE, pod, help, quit. Nothing is real: nothing of this machine is read or changed.

    \b
    Example:
      echo 'docker run -v /:/host alpine cat /host/etc/machine-id' | layerlab node shell
      layerlab node shell --approach kaniko --as dockerfile
    """
    from builder.cli.security.manifests import Manifests
    from builder.security.approaches import kind_of, manifest
    from builder.security.facts import builder_named, guess_builder, settings_from, situation

    if file is not None and approach is not None:
        raise click.UsageError("FILE and --approach are two pods: name one")
    named = [] if file is not None else [approach or "docker-socket"]
    source = Manifests(session, [file] if file is not None else [], named)
    pods = [each.pod for each in source.pods()]
    building = [(pod, kind_of(pod) or guess_builder(pod)) for pod in pods]
    chosen = builder_named(builder) if builder else None
    found = next(((pod, chosen or kind) for pod, kind in building if chosen or kind), None)
    if found is None:
        raise BuildError("no pod here has the image of a builder that is known", fix="say --builder KIND")
    pod, kind = found
    assert kind is not None
    say = Catalogue.read(lang or language_of(session.env))
    text = Path(file).read_text("utf-8", "replace") if file is not None else manifest(named[0]).decode()
    _play(session, say, Node(situation(pod, kind, settings_from(settings)), STARTS[start]), text)
    return 0


def _play(session: Session, say: Catalogue, node: Node, manifest: str) -> None:
    interactive = sys.stdin.isatty()
    where = (
        "job" if node.start is Start.JOB else "same-root" if "run_same_rootfs" in node.build.facts else "run"
    )
    session.print(
        say(f"node.where.{where}", pod=visible(node.build.pod.name), builder=node.build.builder.title)
    )
    if interactive:
        session.print(say("node.words"))
        import readline  # noqa: F401 - input() has a history then
    while True:
        try:
            line = input("$ " if interactive else "")
        except EOFError:
            return
        except KeyboardInterrupt:
            session.print("")
            continue
        if not interactive:
            session.print(f"$ {visible(line)}")
        if line.split() == ["pod"]:
            session.print(visible(manifest.rstrip("\n")))
            continue
        try:
            for text in played(say, node, line):
                session.print(text)
        except Leave:
            return
        except KeyboardInterrupt:
            session.print("^C")
