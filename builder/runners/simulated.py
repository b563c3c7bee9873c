"""Runs commands in memory: the simulated world in a root file system. Implements ``Runner[Posix]``."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from builder.errors import StepFailedError
from builder.protocols import Command, Exit, Mount, Network, Sink
from builder.world.machine.attachments import Attachment, devices
from builder.world.machine.executable import DEFAULT_PATH, ExecError
from builder.world.machine.mounted import attached
from builder.world.machine.network import Serving
from builder.world.machine.process import Program
from builder.world.machine.scheduler import Cancelled
from builder.world.machine.world import Limits, World
from builder.world.supplies.internet import NO_INTERNET
from builder.world.utilities.accounts import groups, groups_of, users
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import ROOT, Caller
from unionfs_sim.trees import walk
from unionfs_sim.vfs.posix import Posix

_PIECE: Final = 1 << 20


class SimulatedRunner:
    """Runs every command on a machine of its own, with ``programs`` and ``internet``.

    ``is_cancelled`` is asked often and from any thread; once it is true, every command ends.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        internet: Any,
        *,
        limits: Limits | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._programs = programs
        self._internet = internet
        self._limits = limits
        self._is_cancelled = is_cancelled
        self._seconds = seconds

    def run(self, rootfs: Posix, command: Command, /, *, output: Sink) -> Exit:
        """Run to the end; what it printed went to ``output``. StepFailedError if it cannot start or end."""
        caller, home = account(rootfs, command.user)
        root = attached(rootfs, [devices(), *(_attachment(mount) for mount in command.mounts)])
        _make_directory(root, command.cwd)
        deadline = None if command.timeout_seconds is None else self._seconds() + command.timeout_seconds

        def is_over() -> bool:
            return self._is_cancelled() or (deadline is not None and self._seconds() >= deadline)

        internet = NO_INTERNET if command.network is Network.NONE else self._internet
        world = World(self._programs, internet, limits=self._limits, is_cancelled=is_over)
        env = {"PATH": DEFAULT_PATH, "HOSTNAME": "buildkitsandbox", "HOME": home, **command.env}
        job = Command(argv=command.argv, env=env, cwd=command.cwd, stdin=command.stdin)
        try:
            return Exit(world.run(root, job, output, caller=caller))
        except ExecError as error:
            raise _not_started(rootfs, world, command, error) from None
        except Serving as serving:
            raise StepFailedError(
                str(serving), fix="RUN must end: put what serves into CMD or ENTRYPOINT", exit_status=1
            ) from None
        except Cancelled:
            if self._is_cancelled():
                raise StepFailedError("the command was cancelled", exit_status=130) from None
            raise StepFailedError(
                f"the command did not end within {command.timeout_seconds:g} s",
                fix="does it end? If it only needs longer, give --timeout more seconds",
                exit_status=124,
            ) from None


def _not_started(root: Posix, world: World, command: Command, error: ExecError) -> StepFailedError:
    """The error for a command that could not be executed, worded as runc words it, with what to do."""
    name = command.argv[0]
    if error.status != 127:
        return StepFailedError(f'exec: "{name}": {error.message.lower()}', exit_status=126)
    if name in ("/bin/sh", "/bin/bash"):
        fix = 'the image has no shell: use the JSON form, RUN ["/path"], or an image that has one'
    elif "/" in name:
        interpreter = root.exists(name)
        fix = (
            "the interpreter that its first line names does not exist"
            if interpreter
            else "is the path right?"
        )
    else:
        fix = f"no such file in PATH{world.nearest(name)}"
    what = "no such file or directory" if "/" in name else "executable file not found in $PATH"
    return StepFailedError(f'exec: "{name}": {what}', fix=fix, exit_status=127)


def account(root: Posix, text: str) -> tuple[Caller, str]:
    """Who ``USER text`` means in an image, and the home directory (OCI image-spec config.md, "User").

    A name must be in the image's /etc/passwd or /etc/group; a number need not be. StepFailedError else.
    """
    name, _, group_text = text.partition(":")
    name = name or "0"
    known = users(root)
    number = int(name) if name.isascii() and name.isdigit() else None
    user = next((each for each in known if each.name == name), None)
    if user is None and number is not None:
        user = next((each for each in known if each.uid == number), None)
    if user is None and number is None:
        raise StepFailedError(
            f"unable to find user {name}: no matching entries in passwd file",
            fix="make it first (RUN adduser …), or use a number; there are: "
            + ", ".join(u.name for u in known),
        )
    uid = user.uid if user is not None else number or 0
    gid = user.gid if user is not None else 0
    extra = groups_of(root, user.name, gid) if user is not None else []
    home = user.home if user is not None else "/"
    if not group_text:
        return Caller(uid, gid, frozenset(extra) - {gid}), home
    group = next((each for each in groups(root) if each.name == group_text), None)
    if group is None and not (group_text.isascii() and group_text.isdigit()):
        raise StepFailedError(
            f"unable to find group {group_text}: no matching entries in group file",
            fix="make it first (RUN addgroup …), or use a number",
        )
    return Caller(uid, group.gid if group is not None else int(group_text)), home


def _make_directory(root: Posix, path: str) -> None:
    """The working directory, made if it does not exist, as runc does."""
    made = ""
    for name in path.split("/"):
        made += f"/{name}" if name else ""
        if made and not root.exists(made):
            root.mkdir(made, 0o755)
    if path and not stat.S_ISDIR(root.stat(path).st_mode):
        raise StepFailedError(
            f"the working directory {path} is no directory", fix="WORKDIR must name a directory"
        )


def _attachment(mount: Mount) -> Attachment:
    source = mount.source if mount.source is not None else Layer()
    path = str(mount.source_path)
    if isinstance(source, Posix):
        return Attachment(str(mount.target), source, path, mount.read_only)
    return Attachment(str(mount.target), _copied(source, path), "/mounted", mount.read_only)


def _copied(source: Filesystem, path: str) -> Layer:
    """What is at ``path`` of a tree that is no ``Posix`` (a directory of the machine), as a layer."""
    copy = Layer()
    for place, status in walk(source, path):
        target = "/mounted" + place[len(path.rstrip("/")) :]
        if stat.S_ISDIR(status.st_mode):
            copy.mkdir(target.rstrip("/"), 0o755)
        elif stat.S_ISLNK(status.st_mode):
            copy.symlink(source.readlink(place), target)
        elif stat.S_ISREG(status.st_mode):
            _copy_file(source, place, copy, target)
        else:
            continue
        change = Attributes(
            mode=None if stat.S_ISLNK(status.st_mode) else stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            mtime_ns=status.st_mtime_ns,
            atime_ns=status.st_mtime_ns,
        )
        copy.acting_as(ROOT).setattr(target, change)
    return copy


def _copy_file(source: Filesystem, path: str, copy: Layer, target: str) -> None:
    reader = source.open(path, os.O_RDONLY)
    writer = copy.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        while piece := reader.read(_PIECE):
            writer.write(piece)
    finally:
        reader.close()
        writer.close()
