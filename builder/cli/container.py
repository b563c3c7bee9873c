"""``layerlab run --strategy rootless``: an image's command as a real process, in namespaces of its own."""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import re
import signal
import socket
import sys
import termios
import threading
import time
import tty
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import click

from builder.cli.session import Session
from builder.errors import BuildError
from builder.events import Event, Warned
from builder.image.reference import Reference
from builder.namespace.confinement import Confinement
from builder.protocols import Command, HostPath, Network, Snapshot, TerminalSize
from builder.runners.rootless.ports import Inside, Published
from builder.runners.rootless.process import RootlessProcess
from builder.stores.layout import LayoutStore
from builder.stores.lookup import Found
from builder.strategies.definition import Settings
from builder.strategies.strategy import Strategy

_THIS_IMAGE: Final = Reference.parse("the-image-to-run")
_OK: Final = range(200, 400)
_PATIENCE_SECONDS: Final = 30.0
_NOT_YET: Final = frozenset({errno.ECONNREFUSED, errno.ENETUNREACH})
"""Nobody listens so far, or the loopback device of the namespace is still down."""
_PAUSE_SECONDS: Final = 0.01
_PORT: Final = re.compile(
    r"(?:(?P<address>[0-9.]+|\[[0-9a-fA-F:]+\]):)?(?P<outer>\d+):(?P<inner>\d+)(?:/tcp)?"
)
_FORWARDED: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)


@dataclass(frozen=True, slots=True)
class Port:
    """``-p [ADDRESS:]OUTER:INNER``; without an address, this machine's programs alone reach it."""

    outer: tuple[str, int]
    inner: int

    @classmethod
    def parse(cls, text: str) -> Port:
        """The port that ``text`` means; UsageError if none."""
        match = _PORT.fullmatch(text)
        if match is None or not (int(match["outer"]) < 65536 and 0 < int(match["inner"]) < 65536):
            raise click.UsageError(f"-p {text}: write [ADDRESS:]PORT_HERE:PORT_INSIDE")
        return cls(((match["address"] or "127.0.0.1").strip("[]"), int(match["outer"])), int(match["inner"]))


def volume(text: str) -> HostPath:
    """What ``-v SOURCE:TARGET[:rw]`` mounts, read-only if nothing else is said; UsageError if nothing."""
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts) or (len(parts) == 3 and parts[2] not in ("ro", "rw")):
        raise click.UsageError(f"-v {text}: write SOURCE:TARGET, read-only, or SOURCE:TARGET:rw")
    if not parts[1].startswith("/"):
        raise click.UsageError(f"-v {text}: the target must be an absolute path")
    return HostPath(
        target=PurePosixPath(parts[1]), source=Path(parts[0]).absolute(), read_only=parts[2:] != ["rw"]
    )


def run(session: Session, store: LayoutStore, found: Found, job: Command, options: dict[str, Any]) -> int:
    """The exit status of the command, or what ``--get`` came to. BuildError if it cannot be started."""
    ports = [Port.parse(text) for text in options["published"]]
    wants_host = options["network"] == "host"
    if wants_host and ports:
        raise click.UsageError("-p leads into a network of its own: leave --network host out")
    command = replace(
        job,
        stdin=None if options["interactive"] else b"",
        network=Network.HOST if wants_host else Network.NONE,
        mounts=tuple(volume(text) for text in options["volumes"]),
        terminal=_terminal_size() if options["has_terminal"] else None,
        timeout_seconds=None,
    )

    def warn(event: Event) -> None:
        if isinstance(event, Warned):
            session.say(f"warning: {event.text}")
            session.say(f"  {event.fix}")

    settings = Settings(
        state_dir=session.state_dir,
        images={_THIS_IMAGE: found.manifest},
        listener=warn,
        confinement=Confinement(
            no_new_privileges=options["no_new_privileges"], strict_owner=options["strict_owner"]
        ),
    )
    with Strategy.ROOTLESS.definition.tools(store, settings).workshop as workshop:
        image = workshop.fetcher.fetch(_THIS_IMAGE, found.image.platform)
        work = workshop.snapshotter.prepare(Snapshot(image.chain_id, image.diff_ids))
        try:
            # With --get the answer is what the server answers; what it logs is talk.
            output = _talk if options["paths"] else _print
            process = workshop.runner.start(
                work.rootfs, command, output=output, errors=None if command.terminal else _talk
            )
            assert isinstance(process, RootlessProcess)
            container = _Container(session, process, ports, command.stdin is None)
            if options["paths"]:
                return container.asked(options["paths"], _port(found, options["port"]))
            return container.foreground()
        finally:
            workshop.snapshotter.discard(work)


def _port(found: Found, chosen: int | None) -> int:
    """The port that ``--get`` asks: the chosen one, else the first that the image exposes."""
    if chosen is not None:
        return chosen
    for exposed in found.image.config.exposed_ports:
        number, _, kind = exposed.partition("/")
        if kind in ("", "tcp") and number.isdigit():
            return int(number)
    raise BuildError("the image exposes no port", fix="say which one to ask: --port 80")


@dataclass(frozen=True, slots=True)
class _Container:
    session: Session
    process: RootlessProcess
    ports: Sequence[Port]
    takes_input: bool

    def foreground(self) -> int:
        """Wait for the command; signals, input and the terminal are its own meanwhile."""
        if self.process.pidfd < 0:
            return self.process.wait().status  # it could not begin: that says why
        with ExitStack() as stack:
            if self.ports:
                self._publish(stack)
            stack.enter_context(_signals_to(self.process))
            if self.process.has_terminal:
                stack.enter_context(_raw_terminal(self.process))
            if self.takes_input:
                threading.Thread(target=_feed, args=(self.process,), daemon=True).start()
            return self.process.wait().status

    def asked(self, paths: Sequence[str], port: int) -> int:
        """What the server answers to each path, printed; 1 if one of them is an error."""
        if self.process.pidfd < 0:
            return self.process.wait().status
        ended: list[object] = []
        waiting = threading.Thread(target=self._wait, args=(ended,), daemon=True)
        waiting.start()
        try:
            inside = Inside(self.process.namespace, self.process.pidfd)
            with contextlib.closing(inside):
                return max(_ask(_connected(inside, port, waiting, ended), path) for path in paths)
        finally:
            self.process.signal(signal.SIGKILL)
            waiting.join()

    def _wait(self, ended: list[object]) -> None:
        try:
            ended.append(self.process.wait())
        except (BuildError, OSError) as error:
            ended.append(error)

    def _publish(self, stack: ExitStack) -> None:
        inside = Inside(self.process.namespace, self.process.pidfd)
        stack.callback(inside.close)
        for port in self.ports:
            published = Published(inside, port.outer, port.inner)
            stack.callback(published.close)
            address, number = published.address
            self.session.say(f"http://{address}:{number}/ leads to port {port.inner} inside")
        self.session.say("the command's network is its own and leads nowhere else")


def _connected(inside: Inside, port: int, waiting: threading.Thread, ended: list[object]) -> socket.socket:
    """A connection to the server, as soon as it listens."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return inside.connect(port)
        except OSError as error:
            if error.errno not in _NOT_YET:
                waiting.join(1.0)  # the sandbox is gone: its end is about to be known
            if ended:
                if isinstance(ended[0], BuildError):
                    raise ended[0] from None
                raise BuildError("the command ended before it served", fix="what did it say?") from None
            if error.errno not in _NOT_YET or time.monotonic() > deadline:
                raise BuildError(
                    f"nobody listens on port {port}", fix="which one does the command serve? --port says it"
                ) from None
        time.sleep(_PAUSE_SECONDS)


def _ask(connection: socket.socket, path: str) -> int:
    asking = http.client.HTTPConnection("localhost")
    asking.sock = connection
    try:
        asking.request("GET", path if path.startswith("/") else f"/{path}", headers={"Connection": "close"})
        answer = asking.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise BuildError(f"the server's answer cannot be read: {error}") from None
    finally:
        asking.close()
    click.echo(f"GET {path}: {answer.status} {answer.reason}", err=True)
    _print(body)
    return 0 if answer.status in _OK else 1


def _print(piece: bytes) -> None:
    sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _talk(piece: bytes) -> None:
    sys.stderr.buffer.write(piece)
    sys.stderr.buffer.flush()


def _terminal_size() -> TerminalSize:
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError):
            size = os.get_terminal_size(stream)
            return TerminalSize(size.columns, size.lines)
    return TerminalSize(80, 24)


@contextmanager
def _signals_to(process: RootlessProcess) -> Iterator[None]:
    """Let signals reach the command; the second one of a kind that ends things ends it for sure.

    The command is process 1 of its namespace: what it does not handle does nothing to it.
    """
    seen: set[int] = set()

    def pass_on(number: int, _: object) -> None:
        process.signal(signal.SIGKILL if number in seen and number != signal.SIGUSR1 else number)
        seen.add(number)

    before = [(each, signal.signal(each, pass_on)) for each in _FORWARDED]
    try:
        yield
    finally:
        for each, handler in before:
            signal.signal(each, handler)


@contextmanager
def _raw_terminal(process: RootlessProcess) -> Iterator[None]:
    """Hand keys through as they are, and changes of size too."""
    if not sys.stdin.isatty():
        yield
        return

    def resized(_: int, __: object) -> None:
        process.resize(_terminal_size())

    before = termios.tcgetattr(0)
    handler = signal.signal(signal.SIGWINCH, resized)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)


def _feed(process: RootlessProcess) -> None:
    """Hand the command what comes on our input, then its end."""
    with contextlib.suppress(OSError):
        while piece := os.read(0, 1 << 16):
            process.stdin.write(piece)
    process.stdin.close()
