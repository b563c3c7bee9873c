"""What all processes of one machine share: its clock, their turns, its ports, and what they may use up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from builder.world.machine.limits import Limits
from builder.world.machine.network import Network, Serving
from builder.world.machine.scheduler import Scheduler, Task
from builder.world.machine.stopped import LimitError
from unionfs_sim.nodes.caller import Clock, TickingClock


class Holder:
    """What one part of a program holds: a line, an array, the variables of a shell. Told the size of it.

    When nothing refers to the holder any more, what it held counts no more.
    """

    __slots__ = ("_machine", "_size")

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._size = 0

    def __call__(self, size: int, /) -> None:
        """Hold ``size`` bytes from now on; LimitError if all holders together have too many."""
        grown, self._size = size - self._size, size
        self._machine.hold(grown)

    def __del__(self) -> None:
        self._machine.hold(-self._size)


class Machine:
    """One machine, whose processes each see a file system of their own.

    ``internet`` answers requests for URLs; ``network`` holds the listeners of this machine. ``clock`` is
    moved by ``sleep`` if it is a TickingClock; else the machine keeps its own distance to it.
    ``pass_time``: lets real time pass while all sleep; how much did, in nanoseconds. None: none does.
    ``standalone``: programs run though no file of their name is in PATH (busybox, FEATURE_SH_STANDALONE).
    """

    def __init__(
        self,
        internet: Any = None,
        clock: Clock | None = None,
        *,
        limits: Limits | None = None,
        network: Network | None = None,
        is_cancelled: Callable[[], bool] | None = None,
        pass_time: Callable[[int], int] | None = None,
        standalone: bool = False,
    ) -> None:
        self.standalone = standalone
        self.internet = internet
        self.clock = clock if clock is not None else TickingClock()
        self.limits = limits if limits is not None else Limits()
        self.network = network if network is not None else Network()
        self._pass_time = pass_time
        self._ahead_ns = 0
        self._printed = 0
        self._captured = 0
        self._written = 0
        self._held = 0
        self.scheduler = Scheduler(now=self.now_ns, advance=self.advance, is_cancelled=is_cancelled)

    # ---- time -----------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """The time of this machine, in nanoseconds since the epoch."""
        return self.clock() + self._ahead_ns

    def advance(self, nanoseconds: int) -> bool:
        """Move the clock; whoever sleeps is not told. False if less time has passed."""
        passed = nanoseconds if self._pass_time is None else self._pass_time(nanoseconds)
        if isinstance(self.clock, TickingClock):
            self.clock.now_ns += passed
        else:
            self._ahead_ns += passed
        return passed >= nanoseconds

    def sleep(self, seconds: float) -> None:
        """Let time pass for the calling process; no real time does, unless this machine's time is real."""
        self.scheduler.sleep(int(seconds * 1_000_000_000))

    def check(self) -> None:
        """Give a long computation the chance to be stopped by a signal, Ctrl-C or a timeout."""
        self.scheduler.check()

    # ---- limits ---------------------------------------------------------------------------------

    def begin(self) -> None:
        """A new command is typed: what earlier ones used up no longer counts."""
        self._printed = self._captured = 0

    def account_output(self, size: int) -> None:
        """Count what was printed; LimitError over the limit."""
        self.scheduler.check()
        self._printed += size
        if self._printed > self.limits.output:
            raise LimitError(
                f"the command printed more than {shown(self.limits.output)}",
                "does it end? Let it print less, or into a file",
                limit="output",
            )

    def account_captured(self, size: int) -> None:
        """Count what command substitutions hold; LimitError over the limit."""
        self.scheduler.check()
        self._captured += size
        if self._captured > self.limits.captured:
            raise LimitError(
                f"command substitutions hold more than {shown(self.limits.captured)}",
                "does the command between $( and ) end? Let it write to a file",
                limit="captured",
            )

    def account_written(self, size: int) -> None:
        """Count what was put into files; LimitError over the limit."""
        self._written += size
        if self._written > self.limits.written:
            raise LimitError(
                f"the command wrote more than {shown(self.limits.written)} into files",
                "does what it writes have an end?",
                limit="written",
            )

    @property
    def account_memory(self) -> Holder:
        """A new holder of memory, which is told how much it holds for as long as it lives."""
        return Holder(self)

    def hold(self, size: int) -> None:
        """Count ``size`` more bytes that programs hold, or are about to hold; LimitError over the limit."""
        self._held += size
        if size > 0 and self._held > self.limits.memory:
            raise LimitError(
                f"the programs of the command hold more than {shown(self.limits.memory)} in memory",
                "does what they read have an end, and its lines? Let them work in pieces",
                limit="memory",
            )

    # ---- processes ------------------------------------------------------------------------------

    def start(self, body: Callable[[], int], *, pid: int) -> Task:
        """Begin a process beside the others. A server that it becomes goes on until it is killed."""

        def guarded() -> int:
            try:
                return body()
            except Serving as serving:
                try:
                    self.scheduler.block(lambda: False)
                finally:
                    for port in serving.ports:
                        self.network.close(port)
                return 0

        return self.scheduler.start(guarded, pid=pid)


def shown(size: int) -> str:
    """A number of bytes as an error says it.

    >>> shown(64 << 20), shown(1000)
    ('64 MiB', '1000 bytes')
    """
    return f"{size >> 20} MiB" if size >= 1 << 20 and not size % (1 << 20) else f"{size} bytes"
