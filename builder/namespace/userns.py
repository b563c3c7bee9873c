"""The builder's end of a user namespace: starts the helper in it, and asks it to do things.

``zygote`` is the other end. Everything here is safe for threads; requests run at the same time.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence

from builder.errors import BuildError
from builder.namespace import idmap, wire, zygote
from builder.namespace.channel import Channel, Message
from builder.namespace.idmap import Caller, IdMap


class UserNamespace:
    """A user namespace with its helper, which is started by the first request.

    ``directory``: the helper's working directory; paths in requests are relative to it. ``ids``: the ids that
    it is to have. ``session``: a directory below it that is this builder's; "" if nothing is stacked there.
    ``processes``: at most how many it was asked to start.
    ``in_memory``: why the helper works on a tmpfs instead; "" if it does not. ``tasks``: what it can do
    besides its own.
    """

    def __init__(
        self, directory: str, ids: IdMap, *, session: str, tasks: Mapping[str, zygote.Task] | None = None
    ) -> None:
        self.directory = directory
        self._tasks = tasks or {}
        self.processes = 0
        self.in_memory = ""
        self._session = session
        self._ids = ids
        self._helper: tuple[Channel, int] | None = None
        self._lock = threading.Lock()

    @property
    def ids(self) -> IdMap:
        """The ids inside."""
        return self._ids

    @property
    def is_started(self) -> bool:
        """Whether there is a helper."""
        return self._helper is not None

    def start(self) -> None:
        """Start the helper, if it is not running; afterwards ``ids`` are those that it has."""
        with self._lock:
            if self._helper is None:
                self._helper = self._start()

    @property
    def descriptor_path(self) -> str:
        """Where a descriptor of the namespace itself is opened (namespaces(7))."""
        with self._lock:
            if self._helper is None:
                self._helper = self._start()
            return f"/proc/{self._helper[1]}/ns/user"

    def request(self, message: Message, descriptors: Sequence[int] = ()) -> Channel:
        """Start what ``message["verb"]`` names; the channel on which it answers.

        The descriptors are copied.
        """
        ours, theirs = Channel.pair()
        try:
            with self._lock:
                if self._helper is None:
                    self._helper = self._start()
                self._helper[0].send(message, [theirs.fileno(), *descriptors])
                self.processes += message["verb"] not in zygote.AT_ONCE
        except BrokenPipeError:
            ours.close()
            raise BuildError("the helper in the user namespace has ended") from None
        finally:
            theirs.close()
        return ours

    def ask(self, message: Message, descriptors: Sequence[int] = ()) -> Message:
        """What the task answers in the end; raises what it raised."""
        channel = self.request(message, descriptors)
        try:
            return answer(channel)
        finally:
            channel.close()

    def close(self) -> None:
        """End the helper and everything that it started; idempotent."""
        with self._lock:
            if self._helper is not None:
                channel, pid = self._helper
                self._helper = None
                channel.close()
                os.waitpid(pid, 0)

    def _start(self) -> tuple[Channel, int]:
        # Everything that the helper needs is imported here: there, the program's files may not be readable.
        ours, theirs = Channel.pair()
        pid = os.fork()
        self.processes += 2  # it forks process 1 of its pid namespace
        if pid == 0:
            zygote.start(
                self.directory,
                theirs.fileno(),
                self._tasks,
                is_machines=self._ids.caller is Caller.MACHINE,
            )
        theirs.close()
        try:
            answer(ours)
            self._ids = idmap.write(self._ids, pid)
            ours.send({"session": self._session})
            self.in_memory = answer(ours)["in_memory"]
        except (OSError, BuildError) as error:
            ours.close()
            os.waitpid(pid, 0)
            raise BuildError(
                f"cannot make a user namespace: {getattr(error, 'strerror', None) or error}",
                fix="`layerlab doctor` says what this machine lacks; --strategy simulated needs nothing",
            ) from None
        except BaseException:
            ours.close()
            os.waitpid(pid, 0)
            raise
        return ours, pid


def answer(channel: Channel) -> Message:
    """The next message on the channel; raises the error that it is, BuildError if none comes."""
    received = channel.receive()
    if received is None:
        raise BuildError("the helper in the user namespace has ended without an answer")
    message, descriptors = received
    for each in descriptors:
        os.close(each)
    if "failed" in message:
        raise wire.error_of(message["failed"])
    return message
