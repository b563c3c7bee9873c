"""What reaches further than files: a docker client and mount(8), which fail in the words of the real ones."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from builder.cli.session import columned
from builder.errors import BuildError
from builder.security.hostpaths import true_path
from builder.strategies.simulated import programs as usual
from builder.world.machine.attachments import Attachment
from builder.world.machine.descriptor import Stream
from builder.world.machine.executable import DEFAULT_PATH, ExecError
from builder.world.machine.process import Process, Program
from builder.world.world import Job, World
from course.node.container import Container, proc, rooted, with_disk
from course.node.host import CONTAINERS, DISK, make_directory
from unionfs_sim.nodes.caller import ROOT
from unionfs_sim.vfs.posix import Posix

PLACES: Final = ("/var/run/docker.sock", "/run/docker.sock")
IMAGES: Final = ("alpine", "busybox", "debian", "docker")
_FLAGS: Final = frozenset({"--rm", "-i", "-t", "-it", "-ti", "--interactive", "--tty"})
_VALUED: Final = frozenset({"--name", "-e", "--env", "-w", "--workdir", "--network", "--net", "-u", "--user"})


def programs_of(container: Container) -> Mapping[str, Program]:
    """All programs of the simulated world, and those that ask the node for something."""
    own: dict[str, Callable[[Container, Process], int]] = {"docker": docker, "mount": mount}
    return {**usual(), **{name: partial(program, container) for name, program in own.items()}}


# ---- docker -------------------------------------------------------------------------------------------


def docker(container: Container, process: Process) -> int:
    """``docker run``, ``ps``, ``images`` and ``version``, at the daemon behind the socket that is here."""
    words = list(process.argv[1:])
    address = process.env.get("DOCKER_HOST", "")
    if words[:1] == ["-H"] and len(words) > 1:
        address, words = words[1], words[2:]
    if "inner_daemon" in container.facts and not address:
        return _asked(_daemon_of(container), process, words)
    place = address.removeprefix("unix://") if address else next(filter(process.fs.exists, PLACES), PLACES[0])
    refused = _refused(container, process, place)
    if refused:
        process.stderr.write(f"{refused}\n".encode())
        container.blocked("runtime_socket")
        return 1
    container.note("runtime_socket")
    return _asked(_Daemon(container, container.host, is_nodes=True), process, words)


def _refused(container: Container, process: Process, place: str) -> str:
    """Why the client does not get to a daemon; "" if it does."""
    fs = process.fs
    if not fs.exists(place) or not stat.S_ISSOCK(fs.stat(place).st_mode) or "sandboxed" in container.facts:
        return f"Cannot connect to the Docker daemon at unix://{place}. Is the docker daemon running?"
    # connect(2) asks to write to the socket (unix(7)); that its mount is read-only changes nothing.
    found, who = fs.stat(place), fs.caller
    mode = found.st_mode >> (6 if who.uid == found.st_uid else 3 if who.in_group(found.st_gid) else 0)
    if not who.is_root and not mode & 2:
        return f"permission denied while trying to connect to the Docker daemon socket at unix://{place}"
    if "authz_plugin" in container.facts:
        return "Error response from daemon: authorization denied by plugin"
    return ""


@dataclass(frozen=True, slots=True)
class _Daemon:
    """A daemon, and the files that its bind mounts mean. ``is_nodes``: the node's own."""

    container: Container
    files: Posix
    is_nodes: bool


def _daemon_of(container: Container) -> _Daemon:
    return _Daemon(container, container.root, is_nodes=False)


def _asked(daemon: _Daemon, process: Process, words: Sequence[str]) -> int:
    match list(words):
        case ["version" | "info"]:
            process.out("Server: Docker Engine, of node-7\n" if daemon.is_nodes else "Server: of this pod\n")
        case ["ps", *_]:
            _tell(daemon, process, "other_containers", [("CONTAINER ID", "IMAGE", "NAMES"), *CONTAINERS])
        case ["images", *_]:
            rows = [(image, identity) for identity, image, _ in CONTAINERS]
            _tell(daemon, process, "other_images", [("REPOSITORY", "IMAGE ID"), *rows])
        case ["run", *rest]:
            return _run(daemon, process, rest)
        case _:
            process.complain("here are run, ps, images and version")
            return 1
    return 0


def _tell(daemon: _Daemon, process: Process, node: str, rows: Sequence[Sequence[str]]) -> None:
    """A table of what the daemon has; the pod's own has nothing of others."""
    shown = rows if daemon.is_nodes else rows[:1]
    process.out("".join(f"{line}\n" for line in columned(shown)))
    if daemon.is_nodes:
        daemon.container.note(node)


@dataclass(slots=True)
class _Wanted:
    """What ``docker run`` was asked for."""

    binds: list[tuple[str, str, bool]] = field(default_factory=list)
    privileged: bool = False
    image: str = ""
    command: list[str] = field(default_factory=list)


def _read(words: Sequence[str]) -> _Wanted:
    """The flags of ``docker run`` that a node of files can play; BuildError for others."""
    waiting, wanted = list(words), _Wanted()
    while waiting and waiting[0].startswith("-"):
        flag, _, value = waiting.pop(0).partition("=")
        if flag in _FLAGS:
            continue
        if flag == "--privileged":
            wanted.privileged = value != "false"
            continue
        if flag in ("-v", "--volume", "--pid", *_VALUED) and not value:
            if not waiting:
                raise BuildError(f"flag needs an argument: {flag}")
            value = waiting.pop(0)
        if flag in ("-v", "--volume"):
            parts = value.split(":")
            if len(parts) not in (2, 3) or not all(part.startswith("/") for part in parts[:2]):
                raise BuildError(f"{value}: write -v /FROM:/TO or -v /FROM:/TO:ro")
            if true_path(parts[1]) == "/":
                raise BuildError(f"invalid volume specification: {value}: destination can't be '/'")
            wanted.binds.append((parts[0], parts[1], parts[2:] == ["ro"]))
        elif flag not in _VALUED and flag != "--pid":
            raise BuildError(f"{flag} is not simulated: there are -v and --privileged")
    if not waiting:
        raise BuildError("docker run needs an image: docker run -v /:/host alpine ls /host")
    wanted.image, wanted.command = waiting[0], waiting[1:] or ["sh"]
    if wanted.image.partition(":")[0] not in IMAGES:
        raise BuildError(f"Unable to find image {wanted.image!r}; here are {', '.join(IMAGES)}")
    return wanted


def _run(daemon: _Daemon, process: Process, words: Sequence[str]) -> int:
    """One container of the daemon: its bind mounts are of the daemon's own files."""
    try:
        wanted = _read(words)
        binds = [_bind(daemon, *each) for each in wanted.binds]
    except BuildError as error:
        process.complain(str(error.what))
        return 125
    facts = daemon.container.facts - {"inner_daemon"}
    if wanted.privileged and daemon.is_nodes:
        facts |= {"privileged", "sysadmin", "root"}
        facts -= {"userns", "sandboxed"}
    elif not wanted.privileged:
        facts -= {"privileged", "sysadmin"}
    disk = [with_disk()] if "privileged" in facts else []
    try:
        root, table = rooted(wanted.image, [proc(), *binds, *disk])
    except BuildError as error:
        process.complain(str(error.what))
        return 125
    inner = replace(
        daemon.container, root=root, mounts=table, facts=facts, caller=ROOT, is_daemons=daemon.is_nodes
    )
    if daemon.is_nodes and any(source == "/" for source, _, _ in wanted.binds):
        daemon.container.note("host_fs")
    world = World(programs_of(inner), clock=root.clock)
    job = Job(argv=wanted.command, env={"PATH": DEFAULT_PATH})
    try:
        return world.run(
            root, job, lambda data: _to(process.stdout, data), errors=lambda data: _to(process.stderr, data)
        )
    except ExecError as error:
        process.complain(f"{wanted.command[0]}: {error}")
        return 127


def _to(stream: Stream, data: bytes) -> None:
    stream.write(data)


def _bind(daemon: _Daemon, source: str, target: str, read_only: bool) -> Attachment:  # noqa: FBT001 - of a tuple
    make_directory(daemon.files, true_path(source))
    return Attachment(true_path(target), daemon.files, true_path(source), read_only)


# ---- mount --------------------------------------------------------------------------------------------


def mount(container: Container, process: Process) -> int:
    """``mount DEVICE DIRECTORY``: the node's disk, where the container has its device and may mount it."""
    words = [word for word in process.argv[1:] if not word.startswith("-")]
    if process.argv[1:2] == ["-t"]:
        words = words[1:]
    if len(words) != 2:
        process.complain(f"write mount {DISK} /mnt")
        return 1
    device, target = words[0], posixpath.normpath(posixpath.join(process.cwd, words[1]))
    if not process.fs.exists(device):
        process.complain(f"{target}: special device {device} does not exist.")
        container.blocked("host_block_devices")
        return 32
    if not stat.S_ISBLK(process.fs.stat(device).st_mode):
        process.complain(f"{target}: {device} is not a block device.")
        return 32
    if not {"sysadmin", "privileged"} <= container.facts or "userns" in container.facts:
        process.complain(f"{target}: permission denied.")
        container.blocked("host_block_devices")
        return 32
    if target == "/" or not process.fs.exists(target):
        process.complain(f"{target}: mount point {'is busy' if target == '/' else 'does not exist'}.")
        return 32
    container.attach(target, container.host)
    if not container.is_daemons:
        container.note("host_block_devices")
    container.note("host_fs")
    return 0
