"""Runs commands in memory: the simulated world in a root file system. Implements ``Runner[Posix]``."""

from __future__ import annotations

import posixpath
import signal
import stat
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from builder.errors import NotSupportedError, StepFailedError
from builder.protocols import Command, Exit, Lifetime, Network, Sink, Snapshotter, TerminalSize
from builder.runners.attachments import Attachments, Caches
from builder.runners.stdin import Stdin
from builder.runners.turns import Turns
from builder.world.machine.attachments import devices
from builder.world.machine.executable import DEFAULT_PATH, ExecError, NotSimulated, RealProgram
from builder.world.machine.limits import Limits
from builder.world.machine.mounted import attached
from builder.world.machine.network import HttpRequest, HttpResponse, Serving
from builder.world.machine.network import Network as Listeners
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
_PATIENCE_SECONDS: Final = 0.1
"""How long a container sleeps or serves before it asks again whether it is to end."""

_SERVERS_END: Final = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
"""What a server ends at in good order (nginx, "Controlling nginx")."""


class SimulatedRunner:
    """Runs every command on a machine of its own, with ``programs`` and ``internet``.

    ``snapshotter`` shows what bind mounts are of; ``caches`` has the trees behind cache mounts (None: new
    ones for each command). ``is_cancelled`` is asked often and from any thread; once it is true, every
    command ends. Commands run inside ``wait``: this needs no thread. ``lifetime``: what its commands are.
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
        lifetime: Lifetime = Lifetime.STEP,
    ) -> None:
        self.lifetime = lifetime
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
        inside = Inside(rootfs, mounts, Turns(), Listeners())
        return SimulatedProcess(self, inside, command, who, output, errors)

    def close(self) -> None:
        """Keep the caches for the next build."""
        if self._caches is not None:
            self._caches.save()


@dataclass(frozen=True, slots=True)
class Inside:
    """What all commands in one root share: the root, its mounts, whose turn it is, who listens at ports."""

    rootfs: Posix
    mounts: Attachments
    turns: Turns
    ports: Listeners


class SimulatedProcess:
    """One command in the simulated world. Implements ``builder.protocols.Process``.

    ``began``: set once the command runs, or has ended.
    """

    def __init__(
        self,
        runner: SimulatedRunner,
        inside: Inside,
        command: Command,
        who: Identity,
        output: Sink,
        errors: Sink | None,
    ) -> None:
        self.began = threading.Event()
        self.inside = inside
        self._runner = runner
        self._command = command
        self._who = who
        self._output = output
        self._errors = errors
        self._signals: deque[int] = deque()
        self._signalled = threading.Event()
        self._server: World | None = None
        self._stdin = Stdin()
        if command.stdin is not None:
            self._stdin.abandon()
        self._outcome: Exit | BaseException | None = None
        self._turn = threading.Lock()

    @property
    def stdin(self) -> Stdin:
        """Where the input is written to, if the command does not bring it along."""
        return self._stdin

    @property
    def has_ended(self) -> bool:
        """Whether it has ended, however."""
        return self._outcome is not None

    def signal(self, number: int, /) -> None:
        """Let signal ``number`` reach the first process at its next step."""
        self._signals.append(number)
        self._signalled.set()

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
                    self.began.set()
            if isinstance(self._outcome, Exit):
                return self._outcome
            raise self._outcome

    def exec(self, command: Command, /, *, output: Sink, errors: Sink | None = None) -> SimulatedProcess:
        """One more command in the same root, which runs when it is waited for."""
        runner = self._runner
        if command.terminal is not None:
            raise NotSupportedError("the simulated world has no terminals", fix="leave the terminal out")
        with self.inside.turns.held():
            who = account(self.inside.rootfs, command.user)
        return SimulatedProcess(runner, self.inside, command, who, output, errors)

    def request(self, port: int, request: HttpRequest) -> HttpResponse:
        """What whoever listens at a port in the root answers; ConnectionRefusedError if nobody does."""
        with self.inside.turns.held():
            if self._server is not None:
                self._server.machine.begin()  # a server lives long: each answer may print as much
            return self.inside.ports.request(port, request)

    def _run(self) -> Exit:
        with self.inside.mounts.held() as attachments, self.inside.turns.held():
            return self._in(attached(self.inside.rootfs, [devices(), *kernel_files(), *attachments]))

    def _in(self, root: Posix) -> Exit:
        runner, command = self._runner, self._command
        make_directory(root, command.cwd)
        deadline = None if command.timeout_seconds is None else runner.seconds() + command.timeout_seconds
        internet = NO_INTERNET if command.network is Network.NONE else runner.internet

        def is_over() -> bool:
            if self._server is not None:
                return False  # it is asked for a page, and told by ``_serve`` to end
            self.began.set()
            # Asked in the thread of the simulation: only there may a signal arrive, or another have its turn.
            self.inside.turns.give_way()
            while self._signals:
                world.machine.scheduler.signal(_FIRST_PID, self._signals.popleft())
            return runner.is_cancelled() or (deadline is not None and runner.seconds() >= deadline)

        lives = runner.lifetime is Lifetime.CONTAINER
        world = World(
            runner.programs,
            internet,
            limits=runner.limits,
            network=self.inside.ports,
            is_cancelled=is_over,
            pass_time=self._pass_time if lives else None,
        )
        env = {"PATH": DEFAULT_PATH, "HOSTNAME": "buildkitsandbox", "HOME": self._who.home, **command.env}
        job = Job(argv=command.argv, env=env, cwd=command.cwd, stdin=command.stdin or b"")
        stdin = self._stdin.reader(world.machine.check) if command.stdin is None else None
        caller = Caller(self._who.uid, self._who.gid, self._who.groups)
        try:
            return Exit(world.run(root, job, self._output, caller=caller, stdin=stdin, errors=self._errors))
        except ExecError as error:
            raise _not_started(self.inside.rootfs, world, command, error) from None
        except StoppedError as error:
            raise step_failed(error) from None
        except Serving as serving:
            if lives:
                return self._serve(world, serving)
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

    def _pass_time(self, nanoseconds: int) -> int:
        """Let real time pass, until a signal comes or all is over; how much did. Others have their turn."""
        began = self._runner.seconds()
        with self.inside.turns.left():
            while not self._signals and not self._runner.is_cancelled():
                left = nanoseconds / 1e9 - (self._runner.seconds() - began)
                if left <= 0:
                    return nanoseconds
                self._rest(left)
        return min(int((self._runner.seconds() - began) * 1e9), nanoseconds - 1)

    def _serve(self, world: World, serving: Serving) -> Exit:
        """Be a server until a signal ends it: what it answers, it answers to ``request``."""
        self._server = world
        self.began.set()
        try:
            with self.inside.turns.left():
                while not self._runner.is_cancelled():
                    while self._signals:
                        number = self._signals.popleft()
                        if number == signal.SIGKILL:
                            return Exit(128 + number)
                        if number in _SERVERS_END:
                            return Exit(0)
                    self._rest(_PATIENCE_SECONDS)
        finally:
            for port in serving.ports:
                self.inside.ports.close(port)
        raise StepFailedError("the command was cancelled", exit_status=130)

    def _rest(self, seconds: float) -> None:
        self._signalled.wait(min(seconds, _PATIENCE_SECONDS))
        self._signalled.clear()


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
