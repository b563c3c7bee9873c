"""A learner on the node: lines typed in a build, and what each reached, by which steps of the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.errors import BuildError
from builder.security.facts import Situation
from builder.security.graph import Reached, Start, reach
from builder.security.tables import Edge, EdgeKind, edges
from builder.world.machine.mounted import MountedPosix
from builder.world.shell.interactive import InteractiveShell
from course.node.container import (
    BUILD_ID,
    CREDENTIAL,
    TOKEN,
    Container,
    caller_of,
    of_job,
    proc,
    rooted,
    with_disk,
)
from course.node.host import SECRETS, host
from course.node.programs import programs_of
from unionfs_sim.nodes.caller import ROOT

IMAGE: Final = "alpine"
MARKS: Final[Mapping[str, str]] = {
    **{name: mark for name, (_, mark) in SECRETS.items()},
    "reg_creds": CREDENTIAL,
    "sa_token": TOKEN,
    "builder_env": BUILD_ID,
}
"""Node of the graph → what is on the screen of whoever got there."""

PLAYABLE: Final = (
    *MARKS,
    "builder_process",
    "runtime_socket",
    "host_block_devices",
    "node_root",
)
"""The nodes of the graph that can be played here."""

ATTEMPTS: Final = (
    "cat /proc/1/environ",
    "cat /kaniko/.docker/config.json /credentials/.docker/config.json",
    "cat /var/run/secrets/kubernetes.io/serviceaccount/token",
    "echo mine > /kaniko/executor",
    "docker ps",
    "docker images",
    "docker run -v /:/host alpine cat /host/etc/machine-id",
    "mkdir -p /mnt && mount /dev/sda1 /mnt && cat /mnt/etc/machine-id",
)
"""What a careful attacker tries first; the rest follows from the host's root directory."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one line did. ``output``: as it was printed; ``gained``: nodes that it reached first.

    ``lit``: the steps of the graph that lead to them. ``stopped``: of a node that a program did not get to,
    the steps that are not open here.
    """

    line: str
    status: int
    output: str
    gained: tuple[str, ...] = ()
    lit: tuple[Edge, ...] = ()
    stopped: Mapping[str, tuple[Edge, ...]] = field(default_factory=dict)


class Node:
    """A node of a cluster with one build on it, from where ``start`` is.

    Everything is in memory and nothing is real. BuildError where the builder runs nothing of a Dockerfile.
    """

    def __init__(self, build: Situation, start: Start = Start.JOB) -> None:
        if start is Start.DOCKERFILE and "has_run" not in build.facts:
            raise BuildError(
                f"{build.builder.title} runs nothing: a Dockerfile gets nowhere", fix="start as the job"
            )
        self.build = build
        self.start = start
        self.reached: Reached = reach(build, start)
        self.gained: list[str] = []
        self.is_finished = False
        self._noted: list[str] = []
        self._blocked: list[str] = []
        self._printed = bytearray()
        self._host = host()
        self._jobs: list[str] = sorted(self._host.listdir("/etc/cron.d"))
        self._container = self._enter()
        shell_root: MountedPosix = self._container.root
        self._shell = InteractiveShell(shell_root, programs_of(self._container), self._printed.extend)
        if not self._container.caller.is_root:
            self._shell.become(self._container.caller)
        if start is Start.JOB:
            self.gained.append("builder_process")

    def _enter(self) -> Container:
        """The container in which the learner begins."""
        facts = self.build.facts
        in_the_pod = self.start is Start.JOB or "run_same_rootfs" in facts
        attachments = list(of_job(self.build, self._host)) if in_the_pod else [proc()]
        if in_the_pod and "privileged" in facts:
            attachments.append(with_disk())
        if in_the_pod and "inpod_dockerd" in facts:
            facts |= {"inner_daemon"}
        root, table = rooted(IMAGE, attachments)
        caller = caller_of(self.build) if in_the_pod else ROOT
        return Container(root, table, self._host, facts, self._noted.append, self._blocked.append, caller)

    def run(self, line: str) -> Move:
        """Play one line, as typed at the shell of the container. Raises Leave for ``exit``."""
        self._noted.clear()
        self._blocked.clear()
        self._printed.clear()
        status = self._shell.run(line)
        output = self._printed.decode("utf-8", "replace")
        self._noted += [name for name, mark in MARKS.items() if mark in output]
        self._noted += self._changed()
        gained = tuple(name for name in dict.fromkeys(self._noted) if name not in self.gained)
        self.gained += gained
        lit = dict.fromkeys(
            step for name in gained if name in self.reached for step in self.reached.path(name)
        )
        stopped = {name: tuple(self.closed(name)) for name in dict.fromkeys(self._blocked)}
        return Move(line, status, output, gained, tuple(lit), stopped)

    def _changed(self) -> Iterator[str]:
        """What was reached by writing: a job of the node's cron, or the builder's own program."""
        if sorted(self._host.listdir("/etc/cron.d")) != self._jobs:
            yield "node_root"
        root = self._container.root
        if root.exists("/kaniko/executor") and root.read_bytes("/kaniko/executor") != b"the builder\n":
            yield "builder_process"

    def closed(self, target: str) -> Iterator[Edge]:
        """The steps to a node that are not open in this build, bugs left out."""
        for edge in edges():
            if edge.target != target or edge.kind is EdgeKind.BUG:
                continue
            if not edge.when.holds(self.build.facts) or edge.source not in self.reached:
                yield edge

    @property
    def left(self) -> tuple[str, ...]:
        """What the graph says can be reached here and was not yet, of the nodes that can be played."""
        return tuple(name for name in PLAYABLE if name in self.reached and name not in self.gained)
