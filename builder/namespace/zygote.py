"""The warm helper inside a user namespace: it lives as long as the builder, and clones one child a request.

It is process 1 of a pid namespace, so when it ends the kernel kills everything that it ever started; and it
ends when the builder does, because then nobody holds the other end of its channel. It stays small and never
waits for one child alone.

A *sandbox* is cloned into namespaces of its own and becomes a command; its exit status is reported. A *task*
is forked and does the builder's own work on files whose owners only exist in here.
"""

from __future__ import annotations

import gc
import os
import select
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeAlias

from builder.namespace import (
    command,
    directories,
    executor,
    files,
    init,
    packing,
    pivot,
    skeleton,
    syscalls,
    unpacking,
)
from builder.namespace.channel import Channel, Message
from builder.namespace.wire import error_told
from unionfs_sim.tar.header import LayerFormatError

Task: TypeAlias = Callable[[Channel, Message, list[int]], None]
"""Does a request in a process of its own: its channel, its message and the descriptors that came along."""

TASKS: Final[Mapping[str, Task]] = {
    "cache": directories.make_cache,
    "changes": packing.changes,
    "exec": init.join,
    "forward": init.forward,
    "measure": directories.measure,
    "open": files.serve,
    "remove": directories.remove,
    "retire": directories.retire,
    "unpack": unpacking.unpack,
}

AT_ONCE: Final[Mapping[str, Callable[[Message], Message]]] = {
    "commit": directories.commit,
    "exists": directories.exists,
    "make": directories.make_directory,
    "prepare": directories.prepare,
}
"""What takes less than a fork: the helper does it itself."""


@dataclass(frozen=True, slots=True)
class _Child:
    pid: int
    channel: Channel | None
    """Where its exit status is reported; None for a task, which answers for itself."""


def start(directory: str, channel: int, tasks: Mapping[str, Task], *, is_machines: bool = False) -> NoReturn:
    """In the builder's child: become the helper, with ``directory`` as working directory.

    ``tasks``: what it can do besides ``TASKS``. ``is_machines``: with the machine's own ids, in no user
    namespace. Says "unshared" and waits for the answer before it uses the
    ids that it is then given. Never returns.
    """
    status = 1
    try:
        told_to = _prepare(directory, channel)
        try:
            user = 0 if is_machines else syscalls.CLONE_NEWUSER
            syscalls.unshare(user | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID)
            told_to.send({"unshared": os.getpid()})
            mapped = told_to.receive()
            if mapped is not None:
                _become_root()
                status = _first_process(told_to, mapped[0]["session"], tasks, is_machines=is_machines)
        except OSError as error:
            told_to.send({"failed": error_told(error)})
    finally:
        os._exit(status)


def _prepare(directory: str, channel: int) -> Channel:
    """Nothing of the builder's but the channel: no descriptor, no terminal, no signal handler."""
    os.chdir(directory)  # by name it may not be reachable any more with the ids of the namespace
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    kept = os.dup2(channel, max(3, os.dup(channel))) if channel < 3 else channel
    for standard in range(3):
        os.dup2(null, standard)
    if kept != 3:
        os.dup2(kept, 3)
    syscalls.close_from(4)
    os.set_inheritable(3, False)  # noqa: FBT003 - it takes no keyword
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    return Channel.of(3)


def _become_root() -> None:
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    try:
        os.setgroups([])
    except PermissionError:
        pass  # with a single id, groups may not be changed
    # The change made /proc/self the machine root's; it is read to walk directories by descriptor.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
    os.umask(0o022)


def _first_process(channel: Channel, session: str, tasks: Mapping[str, Task], *, is_machines: bool) -> int:
    """Fork process 1 of the pid namespace and wait for it; the builder waits for us."""
    child = os.fork()
    if child == 0:
        try:
            syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
            in_memory = skeleton.settle(session, trusted=is_machines) if session else ""
            pivot.equip()
            command.lessen()
            gc.freeze()
            gc.disable()
            channel.send({"in_memory": in_memory})
            _Helper(channel, {**TASKS, **tasks}).serve()
        except BaseException as error:  # the builder must know why
            channel.send({"failed": error_told(error)})
        finally:
            os._exit(0)
    channel.close()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class _Helper:
    def __init__(self, channel: Channel, tasks: Mapping[str, Task]) -> None:
        self._channel = channel
        self._tasks = tasks
        self._children: dict[int, _Child] = {}
        self._poll = select.poll()
        self._poll.register(channel.fileno(), select.POLLIN)

    def serve(self) -> None:
        """Answer requests until the builder is gone."""
        while True:
            for descriptor, _ in self._poll.poll():
                if descriptor in self._children:
                    self._bury(descriptor)
                    continue
                request = self._channel.receive()
                if request is None:
                    return
                self._begin(*request)

    def _begin(self, message: Message, descriptors: list[int]) -> None:
        """Start a child for a request; its channel is the first descriptor."""
        channel = Channel.of(descriptors[0])
        if message["verb"] in AT_ONCE:
            _answer_at_once(channel, message)
            return
        if message["verb"] == "changes" and _changes_at_once(channel, message, descriptors[1:]):
            return
        given = descriptors[1:]
        is_sandbox = message["verb"] in ("run", "container")
        try:
            pid = syscalls.clone(init.flags(message) if is_sandbox else 0)
        except OSError as error:
            channel.send({"failed": error_told(error)})
            channel.close()
        else:
            if pid == 0:
                self._channel.close()
                _become(self._tasks, channel, message, given)
            pidfd = os.pidfd_open(pid)
            self._children[pidfd] = _Child(pid, channel if is_sandbox else None)
            self._poll.register(pidfd, select.POLLIN)
            if is_sandbox:
                channel.send({"started": True}, [pidfd])
            else:
                channel.close()
        for descriptor in given:
            os.close(descriptor)

    def _bury(self, pidfd: int) -> None:
        self._poll.unregister(pidfd)
        child = self._children.pop(pidfd)
        os.close(pidfd)
        _, status = os.waitpid(child.pid, 0)
        if child.channel is not None:
            try:
                child.channel.send({"exited": os.waitstatus_to_exitcode(status)})
            except BrokenPipeError:
                pass  # nobody wants to know any more
            child.channel.close()


def _answer_at_once(channel: Channel, message: Message) -> None:
    try:
        try:
            channel.send(AT_ONCE[message["verb"]](message))
        except OSError as error:
            channel.send({"failed": error_told(error)})
    except BrokenPipeError:
        pass  # nobody wants to know any more
    finally:
        channel.close()


def _changes_at_once(channel: Channel, message: Message, descriptors: list[int]) -> bool:
    """Whether a step changed so little that its layer was written without a fork."""
    try:
        extent = packing.extent(message)
    except OSError:
        return False  # whatever it is, the task will meet it and say so
    if extent is packing.Extent.MUCH:
        return False
    here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if extent is packing.Extent.NOTHING:
            os.close(descriptors[0])
            channel.send({"entries": 0})
        else:
            packing.changes(channel, message, descriptors)
    except BrokenPipeError:
        pass  # nobody wants to know any more
    except (OSError, LayerFormatError) as error:
        channel.send({"failed": error_told(error)})
    finally:
        os.fchdir(here)
        os.close(here)
        channel.close()
    return True


def _become(
    tasks: Mapping[str, Task], channel: Channel, message: Message, descriptors: list[int]
) -> NoReturn:
    """In the child: do the request, and say what went wrong with it."""
    try:
        if message["verb"] == "run":
            init.become(channel, message, descriptors)
        if message["verb"] == "container":
            executor.become(channel, message)
        tasks[message["verb"]](channel, message, descriptors)
    except BaseException as error:  # whatever it is: this process ends here, and its builder must know why
        try:
            channel.send({"failed": error_told(error)})
        except OSError:
            pass
    finally:
        os._exit(0)
