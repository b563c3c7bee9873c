"""A container on the node: its root, what is mounted there, and which of its programs reach further."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from builder.security.facts import Situation
from builder.security.hostpaths import true_path
from builder.security.pods import Container as PodContainer
from builder.security.pods import Pod, Role
from builder.world.machine.attachments import Attachment, MountTable, devices
from builder.world.machine.executable import PROGRAM_MAGIC
from builder.world.machine.mounted import MountedPosix
from course.laboratory import Laboratory
from course.node.host import DISK, make_directory
from unionfs_sim.layers.layer import File, Layer, layer
from unionfs_sim.mounting import mount
from unionfs_sim.nodes.caller import ROOT, Caller
from unionfs_sim.nodes.kinds import device_number

CREDENTIAL: Final = "the-registry-password-of-this-build"
TOKEN: Final = "the-token-of-this-pod"
BUILD_ID: Final = "BUILD_ID=team-a-4711"
_TOKEN_PATH: Final = "/var/run/secrets/kubernetes.io/serviceaccount"


@dataclass(slots=True)
class Container:
    """One container. ``facts``: those of the situation that hold of it; ``note``: is told what was reached.

    ``blocked``: is told which node of the graph a program did not get to. ``is_daemons``: the node's daemon
    started it, as a container beside the build.
    """

    root: MountedPosix
    mounts: MountTable
    host: Layer
    facts: frozenset[str]
    note: Callable[[str], None]
    blocked: Callable[[str], None]
    caller: Caller = ROOT
    is_daemons: bool = False

    def attach(self, target: str, tree: Layer, path: str = "/", *, read_only: bool = False) -> None:
        """Let a directory of ``tree`` stand at ``target``."""
        self.mounts.attach(Attachment(true_path(target), tree, path, read_only))


@cache
def _layers(image: str) -> tuple[Layer, ...]:
    """The layers of an embedded image; ``docker`` is alpine with the client."""
    if image.partition(":")[0] != "docker":
        return Laboratory().build(f"FROM {image}\n").layers
    client = layer({"/usr/local/bin/docker": File(PROGRAM_MAGIC + b"docker\n", mode=0o755)})
    return (*_layers("alpine"), client.freeze())


def rooted(image: str, attachments: Iterable[Attachment]) -> tuple[MountedPosix, MountTable]:
    """The root of a fresh container of an image, with what is mounted there."""
    table = MountTable([devices(), *attachments])
    return MountedPosix(mount(list(_layers(image)), Layer()), table, ROOT), table


def of_job(build: Situation, host: Layer) -> Iterator[Attachment]:
    """What the build's own container has mounted: volumes, the token, its /proc, and a device or none."""
    container = _main(build.pod)
    volumes = {volume.name: volume for volume in build.pod.volumes}
    for each in container.mounts:
        volume = volumes.get(each.volume)
        if volume is None:
            continue
        if volume.host_path is not None:
            yield _host_path(host, each.path, volume.host_path, read_only=each.read_only)
        elif volume.holds_secret:
            auth = f'{{"auths": {{"registry.example": {{"auth": "{CREDENTIAL}"}}}}}}\n'
            yield Attachment(each.path, layer({"/config.json": File(auth, mode=0o644)}), read_only=True)
        else:
            yield Attachment(each.path, layer({}))
    if "sa_token" in build.facts:
        yield Attachment(
            true_path(_TOKEN_PATH), layer({"/token": File(f"{TOKEN}\n", mode=0o644)}), read_only=True
        )
    yield proc(
        *(f"{each.name}={each.value or ''}" for each in container.variables),
        BUILD_ID,
        uid=caller_of(build).uid,
    )
    if "run_same_rootfs" in build.facts:
        yield Attachment("/kaniko/executor", _executor(), "/executor")


def _executor() -> Layer:
    return layer({"/executor": File("the builder\n", mode=0o755)})


def proc(*environment: str, uid: int = 0) -> Attachment:
    """A /proc in which process 1 has this environment, for its own user to read (proc(5))."""
    text = "".join(f"{each}\0" for each in environment)
    made = layer({"/1/environ": File(text, mode=0o400)})
    made.chown("/1/environ", uid, uid)
    return Attachment("/proc", made, read_only=True)


def with_disk() -> Attachment:
    """The node's disk as a device, as a privileged container finds it."""
    made = layer({})
    made.mknod("/sda1", stat.S_IFBLK | 0o660, device_number(8, 1))
    return Attachment(DISK, made, "/sda1")


def _host_path(host: Layer, target: str, path: str, *, read_only: bool) -> Attachment:
    """A directory or a socket of the host; symlinks on the way are followed there, as the kubelet does."""
    make_directory(host, true_path(path))
    return Attachment(true_path(target), host, true_path(path), read_only)


def caller_of(build: Situation) -> Caller:
    """Who the build's container runs as."""
    own, shared = _main(build.pod).security, build.pod.security
    user = own.run_as_user if own.run_as_user is not None else shared.run_as_user
    uid = build.builder.user if user is None else user
    groups = {shared.fs_group, *shared.supplemental_groups} - {None}
    gid = own.run_as_group if own.run_as_group is not None else shared.run_as_group
    return Caller(uid, uid if gid is None else gid, frozenset(each for each in groups if each is not None))


def _main(pod: Pod) -> PodContainer:
    return next(each for each in pod.containers if each.role is Role.MAIN)
