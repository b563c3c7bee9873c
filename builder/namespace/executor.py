"""Process 1 of a container that plays Kaniko's: commands are its plain children, and see what it has.

It is cloned from the helper, whose working directory is the builder's in the root (``container``). The root
is changed to the directory above; from outside, others scan that directory by descriptors. Unlike Kaniko's
executor, it keeps powers that its commands lack, and nobody may look into its memory: that is the builder's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Sequence
from typing import Final, NoReturn

from builder.context.paths import resolve
from builder.errors import BuildError
from builder.namespace import init, mounts, pivot, syscalls
from builder.namespace.channel import Channel, Message
from builder.namespace.command import Here, execute
from builder.namespace.sandbox import Attachment, Sandbox
from builder.namespace.stack import NOTHING, Ownership
from builder.namespace.wire import error_told

SHOWN: Final = "shown"
"""The part of the builder's directory that commands see, at ``INSIDE``."""

CACHES: Final = "caches"
"""Another part, in there: what outlives the build."""

INSIDE: Final = "/kaniko"
CREDENTIALS: Final = f"{INSIDE}/.docker/config.json"
HOSTNAME: Final = "kaniko"

_SHM_BYTES: Final = 64 << 20
_FILES: Final = f"{INSIDE}/etc"
"""Where the machine's resolver configuration and our hosts file lie for commands to be given."""


def become(channel: Channel, message: Message) -> NoReturn:
    """Be process 1: enter the root, and run commands until the builder is gone."""
    try:
        os.setsid()
        socket.sethostname(HOSTNAME)
        _enter(message["credentials"].encode("latin-1"))
        syscalls.rename_process(f"{INSIDE}/executor")
        syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
        channel.send({"ready": True})
        _serve(channel)
    except (BuildError, OSError) as error:
        channel.send({"failed": error_told(error)})
    finally:
        os._exit(0)


def _enter(credentials: bytes) -> None:
    """What the container has: the root, /dev, /proc, and in the builder's directory its own things."""
    root = mounts.bind("..")
    own, caches = mounts.bind(SHOWN), mounts.bind(CACHES)
    processes = mounts.processes()
    devices = mounts.Devices()
    files = pivot.machines_files()
    for name in ("dev", "proc", "sys"):
        _make_directory(f"../{name}")
    mounts.enter(root, pivot.AT)
    devices.attach(_SHM_BYTES)
    mounts.attach(processes, "/proc")
    mounts.mask_processes()
    mounts.attach(own, INSIDE)
    for name in (CACHES, pivot.HOLD, NOTHING, "etc", ".docker"):
        _make_directory(f"{INSIDE}/{name}")
    mounts.attach(caches, f"{INSIDE}/{CACHES}")
    for target, mounted in files:
        place = f"{INSIDE}{target}"
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))
        mounts.attach(mounted, place)
    mounts.attach(mounts.file_system("tmpfs", mounts.SAFE, {"mode": "755"}), os.path.dirname(CREDENTIALS))
    with open(CREDENTIALS, "wb") as file:
        file.write(credentials)
    os.chmod(CREDENTIALS, 0o600)


def _make_directory(path: str) -> None:
    try:
        os.mkdir(path, 0o755)
    except FileExistsError:
        pass


def _serve(channel: Channel) -> None:
    """Run one command after the other, until there is nobody to ask for one."""
    while (received := channel.receive()) is not None:
        message, descriptors = received
        if message["verb"] == "end":
            return
        asks = Channel.of(descriptors[0])
        try:
            _run(asks, Sandbox.of(message), descriptors[1:])
        except BrokenPipeError:
            pass  # nobody wants to know any more
        except (BuildError, OSError) as error:
            asks.send({"failed": error_told(error)})
        finally:
            asks.close()
            for each in descriptors[1:]:
                os.close(each)


def _run(channel: Channel, command: Sandbox, descriptors: Sequence[int]) -> None:
    """One command from its start until it, and all that it left running, is gone."""
    places = Places()
    placed = [(places.make(each), each) for each in (*_files(), *command.attachments)]
    try:
        child = os.fork()
        if child == 0:
            _become_command(channel, command, placed, descriptors)
        try:
            pidfd = os.pidfd_open(child)
            channel.send({"started": True}, [pidfd])
            os.close(pidfd)
        finally:
            status = _wait_for(child)
        channel.send({"exited": os.waitstatus_to_exitcode(status)})
    finally:
        places.remove()


def _wait_for(child: int) -> int:
    """How the child ended. Whatever else it left is killed, also what Kaniko would let go on running."""
    while True:
        ended, status = os.wait()
        if ended == child:
            break
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        return status


def _files() -> list[Attachment]:
    names = ("hosts", "resolv.conf")
    return [
        Attachment(target=f"/etc/{name}", host=f"{_FILES}/{name}", read_only=True)
        for name in names
        if os.path.exists(f"{_FILES}/{name}")
    ]


def _become_command(
    channel: Channel,
    command: Sandbox,
    placed: Sequence[tuple[str | None, Attachment]],
    descriptors: Sequence[int],
) -> NoReturn:
    try:
        os.setsid()
        streams = 3 if command.terminal is None else 0
        init.streams(descriptors[:streams])
        syscalls.unshare(syscalls.CLONE_NEWNS)
        if not command.network:
            syscalls.unshare(syscalls.CLONE_NEWNET)
            init.loopback_up()
        os.chdir(INSIDE)
        came = descriptors[streams:]
        taken = [(path, pivot.taken(each, came)) for path, each in placed if path is not None]
        for path, mounted in sorted(taken, key=lambda each: each[0].count("/")):
            mounts.attach(mounted, path)
        os.chdir("/")
        if command.counts_mounts:
            channel.send({"mounts": mounts.count()})
        if command.terminal is not None:
            init.terminal(channel, command.terminal)
        execute(command, Ownership(command.stack["ownership"]))
    except (BuildError, OSError) as error:
        channel.send({"failed": error_told(error)})
    finally:
        os._exit(127)


class Places:
    """Places for mounts that the root lacks: made for one command, and taken away after it.

    A directory that was changed by nothing else has its old time again.
    """

    def __init__(self) -> None:
        self._made: list[str] = []
        self._before: dict[str, os.stat_result] = {}
        self._after: dict[str, int | None] = {}

    def make(self, attachment: Attachment) -> str | None:
        """Where the attachment goes, without symlinks; None for a file of the machine without a place."""
        with Here("/") as root:
            path = resolve(root, attachment.target)
        try:
            self._make(path, is_directory=_is_directory(attachment))
        except OSError as error:
            if attachment.host is not None and attachment.host.startswith(_FILES):
                return None  # the image has a strange /etc: then there are no names
            raise BuildError(
                f"cannot mount on {attachment.target}: {error.strerror}", fix="let the image have that place"
            ) from None
        return path

    def _make(self, path: str, *, is_directory: bool) -> None:
        here = ""
        for name in path.split("/")[1:]:
            above, here = here or "/", f"{here}/{name}"
            if os.path.lexists(here):
                continue
            self._before.setdefault(above, os.stat(above))
            if here == path and not is_directory:
                os.close(os.open(here, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
            else:
                os.mkdir(here, 0o755)
            self._made.append(here)
            self._after[above] = _mtime(above)

    def remove(self) -> None:
        """Take away what was made, where nothing was put into it."""
        ours = [path for path, after in self._after.items() if _mtime(path) == after]
        for path in reversed(self._made):
            with contextlib.suppress(OSError):  # the command put something there, or removed it itself
                if stat.S_ISDIR(os.lstat(path).st_mode):
                    os.rmdir(path)
                elif os.lstat(path).st_size == 0:
                    os.unlink(path)
        for path in ours:
            with contextlib.suppress(FileNotFoundError):
                times = self._before[path].st_atime_ns, self._before[path].st_mtime_ns
                os.utime(path, ns=times, follow_symlinks=False)


def _is_directory(attachment: Attachment) -> bool:
    if attachment.content is not None:
        return False
    return attachment.host is None or os.path.isdir(f"{attachment.host}/{attachment.path.lstrip('/')}")


def _mtime(path: str) -> int | None:
    try:
        return os.lstat(path).st_mtime_ns
    except OSError:
        return None
