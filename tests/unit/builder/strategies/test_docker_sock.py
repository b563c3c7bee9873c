"""A build that is sent to a daemon's socket: the same image comes back, and no name of it stays there."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from daemon_served import Client, served

from builder.comparison import compare
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.order import CacheUse
from builder.errors import BuildError, NotSupportedError, StepFailedError
from builder.events import Event, OutputPrinted
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.docker_sock import dockerfile_text
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import Dir, File, Symlink, layer

FILES = {
    "/app/run": File("#!/bin/sh\n", mode=0o755),
    "/app/link": Symlink("run"),
    "/app/private": Dir(mode=0o700),
    "/app/big": File("x" * 300_000),
    "/.dockerignore": "nothing\n",
}


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(Path(tmp_path_factory.mktemp("d"))) as client:
        yield client


def recipe(daemon: Client, dockerfile: str, target: str | None = None, **more: Any) -> Recipe:
    graph = plan(parse(dockerfile), target=target, build_args=more.pop("build_args", {}))
    files = more.pop("files", {**FILES, "/Dockerfile": dockerfile})
    context = Source(BuildContext(layer(files).freeze()), LABEL)
    return Recipe(graph=graph, context=context, strategy=Strategy.DOCKER_SOCK, socket=daemon.path, **more)


def said(asked: Recipe, **more: Any) -> str:
    """What the daemon says while it builds."""
    events: list[Event] = []
    with built(asked, MemoryStore(), listener=events.append, **more):
        return b"".join(each.data for each in events if isinstance(each, OutputPrinted)).decode()


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM alpine\nCOPY . /all\nRUN ls -a /all > /listed && chmod 711 /all/app\n",
        "# escape=`\nFROM alpine AS a\nRUN date > /a `\n  && echo b > /b\nFROM alpine\nCOPY --from=a /b /\n",
        "ARG TAG=latest\nFROM alpine:$TAG\nCOPY <<EOF /given\ntext $TAG\nEOF\nUSER 3:4\nWORKDIR /w\n",
        "FROM scratch\nCOPY app /app\nENV A=b\nCMD [\"/app/run\"]\n",
    ],
)  # fmt: skip
def test_what_comes_back_is_what_is_built_here(daemon: Client, dockerfile: str) -> None:
    both = (Strategy.SIMULATED, Strategy.DOCKER_SOCK)

    compared = compare(recipe(daemon, dockerfile), both)

    here, there = compared.outcomes
    assert compared.reasons[Strategy.DOCKER_SOCK] == ()
    assert (there.image.diff_ids, there.image.config) == (here.image.diff_ids, here.image.config)


def test_a_dockerfile_that_is_not_in_the_context_is_sent_and_not_seen(daemon: Client) -> None:
    text = "FROM alpine\nCOPY . /all\nRUN ls -a /all\n"

    printed = said(recipe(daemon, text, files={"/app": "x", "/Dockerfile": "FROM other\n"}))

    assert "\nDockerfile\napp\n" in printed
    assert "\n.dockerfile" not in printed
    assert "\n.dockerignore" not in printed


def test_only_the_target_and_what_stands_before_it_is_sent(daemon: Client) -> None:
    asked = recipe(daemon, "FROM alpine AS a\nRUN echo 1 > /a\nFROM nowhere:1\nRUN exit 1\n", target="a")

    assert dockerfile_text(asked.graph) == "FROM alpine AS a\nRUN echo 1 > /a\n"
    assert "Successfully built" in said(asked)


def test_build_arguments_and_the_use_of_the_cache_are_sent(daemon: Client) -> None:
    text = "FROM alpine\nARG X=1\nRUN echo x is $X | tee /x\n"

    first = said(recipe(daemon, text, build_args={"X": "5"}))
    again = said(recipe(daemon, text, build_args={"X": "5"}))
    afresh = said(recipe(daemon, text, build_args={"X": "5"}, cache=CacheUse.IGNORE))

    assert "x is 5\n" in first
    assert "Using cache" in again
    assert "x is 5\n" in afresh


def test_a_failed_step_has_the_daemons_sentence_and_status(daemon: Client) -> None:
    with pytest.raises(StepFailedError, match="exit status 9") as failed:
        said(recipe(daemon, "FROM alpine\nRUN exit 9\n"))

    assert failed.value.exit_status == 9


def test_the_daemon_keeps_no_name_of_it(daemon: Client) -> None:
    said(recipe(daemon, "FROM alpine\nRUN echo gone > /gone\n"))

    listed = daemon.ask("GET", "/images/json").json()
    assert not [tag for each in listed for tag in each["RepoTags"] if "layerlab.invalid" in tag]


def test_a_build_that_is_stopped_here_ends_there(daemon: Client) -> None:
    stop = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, OutputPrinted) and event.data == b"begun\n":
            stop.set()

    asked = recipe(daemon, "FROM alpine\nRUN echo begun; while true; do :; done\n")
    with (
        pytest.raises(StepFailedError, match="stopped") as stopped,
        built(asked, MemoryStore(), listener=listen, stop=stop),
    ):
        pass

    assert stopped.value.exit_status == 130


def test_secrets_are_not_sent(daemon: Client) -> None:
    with pytest.raises(NotSupportedError, match="secrets"):
        said(recipe(daemon, "FROM alpine\n", secrets={"id": b"secret"}))


@pytest.mark.parametrize("kind", ["absent", "file", "stranger"])
def test_a_socket_at_which_no_daemon_answers_is_named(tmp_path: Path, kind: str) -> None:
    import socket

    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        if kind == "file":
            path.touch()
        if kind == "stranger":
            listener.bind(str(path))
            listener.listen()
            answering = threading.Thread(target=_greet, args=(listener,))
            answering.start()
        with pytest.raises(BuildError) as refused:
            said(recipe(Client(path), "FROM scratch\nCOPY app /\n"))
        if kind == "stranger":
            answering.join()

    assert refused.value.where == str(path)


def _greet(listener: Any) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 mail.example.org ESMTP\r\n")
        connection.recv(1 << 16)
