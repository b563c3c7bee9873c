"""Runs commands in memory: the simulated world in a root file system. Implements ``Runner[Posix]``."""

from __future__ import annotations

import posixpath
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from builder.errors import NotSupportedError, StepFailedError
from builder.protocols import Command, Exit, Network, Sink, Snapshotter, TerminalSize
from builder.runners.attachments import Attachments, Caches
from builder.runners.stdin import Stdin
from builder.world.machine.attachments import devices
from builder.world.machine.executable import DEFAULT_PATH, ExecError, NotSimulated, RealProgram
from builder.world.machine.limits import Limits
from builder.world.machine.mounted import attached
from builder.world.machine.network import Network as Listeners
from builder.world.machine.network import Serving
from builder.world.machine.process import Program
from builder.world.machine.procfs import kernel_files
from builder.world.machine.scheduler import Cancelled
from builder.world.machine.stopped import LimitError, StoppedError
from builder.world.supplies.internet import NO_INTERNET
from builder.world.world import Job, World
from unionfs_sim.accounts import PASSWD, Identity, IdRangeError, UnknownAccountError, identity
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

_FIRST_PID: Final = 1
_REAL_PROGRAM: Final = (
    "real programs do not run in the simulation: build with --strategy rootless.\n"
    "  If a loaded or pulled image took the name of an embedded one, layerlab rmi NAME gives it back"
)


class SimulatedRunner:
    """Runs every command on a machine of its own, with ``programs`` and ``internet``.

    ``snapshotter`` shows what bind mounts are of; ``caches`` has the trees behind cache mounts (None: new
    ones for each command). ``is_cancelled`` is asked often and from any thread; once it is true, every
    command ends. Commands run inside ``wait``: this needs no thread.
    """

    def __init__(
        self,
        programs: Mapping[str, Program],
        internet: Any,
        *,
        snapshotter: Snapshotter[Posix] | None = None,
        caches: Caches | None = None,
        limits: Limits | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.programs = programs
        self.internet = internet
        self.limits = limits
        self.is_cancelled = is_cancelled
        self.seconds = seconds
        self._snapshotter = snapshotter
        self._caches = caches

    def start(
        self, rootfs: Posix, command: Command, /, *, output: Sink, errors: Sink | None = None
    ) -> SimulatedProcess:
        """The command, which runs when it is waited for. StepFailedError if its user is unknown."""
        if command.terminal is not None:
            raise NotSupportedError("the simulated world has no terminals", fix="leave the terminal out")
        who = account(rootfs, command.user)
        mounts = Attachments(command.mounts, self._snapshotter, self._caches)
        return SimulatedProcess(self, rootfs, command, who, mounts, output, errors)

    def close(self) -> None:
        """Keep the caches for the next build."""
        if self._caches is not None:
            self._caches.save()


class SimulatedProcess:
    """One command in the simulated world. Implements ``builder.protocols.Process``."""

    def __init__(
        self,
        runner: SimulatedRunner,
        rootfs: Posix,
        command: Command,
        who: Identity,
        mounts: Attachments,
        output: Sink,
        errors: Sink | None,
    ) -> None:
        self._runner = runner
        self._rootfs = rootfs
        self._command = command
        self._who = who
        self._mounts = mounts
        self._output = output
        self._errors = errors
        self._signals: deque[int] = deque()
        self._stdin = Stdin()
        if command.stdin is not None:
            self._stdin.abandon()
        self._outcome: Exit | BaseException | None = None
        self._turn = threading.Lock()

    @property
    def stdin(self) -> Stdin:
        """Where the input is written to, if the command does not bring it along."""
        return self._stdin

    def signal(self, number: int, /) -> None:
        """Let signal ``number`` reach the first process at its next step."""
        self._signals.append(number)

    def resize(self, size: TerminalSize, /) -> None:
        """Nothing: there is no terminal."""

    def wait(self) -> Exit:
        """Run to the end, or tell how it ended."""
        with self._turn:
            if self._outcome is None:
                try:
                    self._outcome = self._run()
                except BaseException as error:
                    self._outcome = error
                finally:
                    self._stdin.abandon()
            if isinstance(self._outcome, Exit):
                return self._outcome
            raise self._outcome

    def exec(self, command: Command, /, *, output: Sink, errors: Sink | None = None) -> SimulatedProcess:
        """One more command in the same root, which runs when it is waited for."""
        runner = self._runner
        if command.terminal is not None:
            raise NotSupportedError("the simulated world has no terminals", fix="leave the terminal out")
        who = account(self._rootfs, command.user)
        return SimulatedProcess(runner, self._rootfs, command, who, self._mounts, output, errors)

    def _run(self) -> Exit:
        with self._mounts.held() as attachments:
            return self._in(attached(self._rootfs, [devices(), *kernel_files(), *attachments]))

    def _in(self, root: Posix) -> Exit:
        runner, command = self._runner, self._command
        make_directory(root, command.cwd)
        deadline = None if command.timeout_seconds is None else runner.seconds() + command.timeout_seconds
        internet = NO_INTERNET if command.network is Network.NONE else runner.internet

        def is_over() -> bool:
            while self._signals:  # Asked in the thread of the simulation: only there may a signal arrive.
                world.machine.scheduler.signal(_FIRST_PID, self._signals.popleft())
            return runner.is_cancelled() or (deadline is not None and runner.seconds() >= deadline)

        world = World(runner.programs, internet, limits=runner.limits, is_cancelled=is_over)
        env = {"PATH": DEFAULT_PATH, "HOSTNAME": "buildkitsandbox", "HOME": self._who.home, **command.env}
        job = Job(argv=command.argv, env=env, cwd=command.cwd, stdin=command.stdin or b"")
        stdin = self._stdin.reader(world.machine.check) if command.stdin is None else None
        caller = Caller(self._who.uid, self._who.gid, self._who.groups)
        try:
            return Exit(world.run(root, job, self._output, caller=caller, stdin=stdin, errors=self._errors))
        except ExecError as error:
            raise _not_started(self._rootfs, world, command, error) from None
        except StoppedError as error:
            raise step_failed(error) from None
        except Serving as serving:
            raise StepFailedError(
                str(serving), fix="RUN must end: put what serves into CMD or ENTRYPOINT", exit_status=1
            ) from None
        except Cancelled:
            if runner.is_cancelled():
                raise StepFailedError("the command was cancelled", exit_status=130) from None
            raise StepFailedError(
                f"the command did not end within {command.timeout_seconds:g} s",
                fix="does it end? If it only needs longer, give --timeout more seconds",
                exit_status=124,
            ) from None


def run_container(
    root: Posix,
    command: Command,
    programs: Mapping[str, Program],
    internet: Any,
    *,
    listeners: Listeners,
    output: Sink,
    limits: Limits | None = None,
) -> int:
    """The exit status of a container's command, which may listen on the ports of ``listeners``.

    Raises Serving if it serves and does not end, ExecError if it cannot be executed, StepFailedError if it
    was stopped or its user is unknown.
    """
    who = account(root, command.user)
    make_directory(root, command.cwd)
    env = {"PATH": DEFAULT_PATH, "HOME": who.home, **command.env}
    world = World(programs, internet, network=listeners, limits=limits)
    job = Job(argv=command.argv, env=env, cwd=command.cwd)
    try:
        return world.run(root, job, output, caller=Caller(who.uid, who.gid, who.groups))
    except StoppedError as error:
        raise step_failed(error) from None


def _not_started(root: Posix, world: World, command: Command, error: ExecError) -> StepFailedError:
    """The error for a command that could not be executed, worded as runc words it, with what to do."""
    name = command.argv[0]
    if isinstance(error, NotSimulated):
        return StepFailedError(f'exec: "{name}": {error.message}', exit_status=127)
    if error.status != 127:
        fix = _REAL_PROGRAM if isinstance(error, RealProgram) else None
        return StepFailedError(f'exec: "{name}": {error.message.lower()}', fix=fix, exit_status=126)
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


def step_failed(error: StoppedError) -> StepFailedError:
    """The error for a command that was stopped."""
    lifted = f"; if it needs more: --limit {error.limit}=SIZE" if isinstance(error, LimitError) else ""
    return StepFailedError(error.message, fix=error.fix + lifted)


def account(root: Posix, text: str) -> Identity:
    """Who ``USER text`` means in an image; StepFailedError if a name is not known there."""
    try:
        return identity(root, text)
    except UnknownAccountError as error:
        kind, word = ("user", "adduser") if error.file == PASSWD else ("group", "addgroup")
        file = posixpath.basename(error.file)
        raise StepFailedError(
            f"unable to find {kind} {error.name}: no matching entries in {file} file",
            fix=f"make it first (RUN {word} …), or use a number; there are: {', '.join(error.known)}",
        ) from None
    except IdRangeError as error:
        raise StepFailedError(str(error)) from None


def make_directory(root: Posix, path: str) -> None:
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
