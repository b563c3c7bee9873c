"""Containers of an image that was built in memory: what they start, print and serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from builder.errors import BuildError
from builder.image.config import ImageConfig
from builder.protocols import Command
from builder.runners.simulated import run_container
from builder.strategies.simulated import programs
from builder.world.machine.executable import ExecError
from builder.world.machine.network import HttpRequest, Network, Serving
from builder.world.supplies.internet import toy_internet
from course.laboratory import Built


def started(config: ImageConfig, words: Sequence[str] = ()) -> tuple[str, ...]:
    """What process 1 of ``docker run IMAGE words…`` is started as: the words take the place of CMD.

    >>> started(ImageConfig(entrypoint=("echo",), cmd=("hello",)), ["you"])
    ('echo', 'you')
    """
    return config.replace(cmd=tuple(words)).command if words else config.command


@dataclass(frozen=True, slots=True)
class Ran:
    """How a container went. ``failure``: why it could not run, "" if it did; ``network``: who listens."""

    output: str
    status: int
    failure: str
    network: Network

    def get(self, path: str, port: int) -> tuple[int, bytes] | None:
        """Status and body of the answer to a request; None if nobody listens."""
        try:
            answer = self.network.request(port, HttpRequest(target=path))
        except ConnectionRefusedError:
            return None
        return answer.status, answer.body


def ran(built: Built, words: Sequence[str] = ()) -> Ran:
    """A container of the image, run to its end, or until it serves."""
    config, network = built.image.config, Network()
    pieces: list[bytes] = []
    command = Command(
        argv=started(config, words), env=config.env, cwd=config.working_dir or "/", user=config.user
    )
    status, failure = 0, ""
    try:
        status = run_container(
            built.union(), command, programs(), toy_internet(), listeners=network, output=pieces.append
        )
    except Serving:
        pass
    except ExecError as error:
        status, failure = error.status, error.message
    except BuildError as error:
        status, failure = 1, error.what
    return Ran(b"".join(pieces).decode(errors="replace"), status, failure, network)
