"""Runs commands in memory: the simulated world in a root file system. Implements ``Runner[Posix]``."""

from __future__ import annotations

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
from builder.world.machine.executable import DEFAULT_PATH, ExecError
from builder.world.machine.mounted import attached
from builder.world.machine.network import Serving
from builder.world.machine.process import Program
from builder.world.machine.scheduler import Cancelled
from builder.world.machine.world import Limits, World
from builder.world.supplies.internet import NO_INTERNET
from builder.world.utilities.accounts import groups, groups_of, users
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

_FIRST_PID: Final = 1


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
        who: tuple[Caller, str],
        mounts: Attachments,
        output: Sink,
        errors: Sink | None,
    ) -> None:
        self._runner = runner
        self._rootfs = rootfs
        self._command = command
        self._caller, self._home = who
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
            return self._in(attached(self._rootfs, [devices(), *attachments]))

    def _in(self, root: Posix) -> Exit:
        runner, command = self._runner, self._command
        _make_directory(root, command.cwd)
        deadline = None if command.timeout_seconds is None else runner.seconds() + command.timeout_seconds
        internet = NO_INTERNET if command.network is Network.NONE else runner.internet

        def is_over() -> bool:
            while self._signals:  # Asked in the thread of the simulation: only there may a signal arrive.
                world.scheduler.signal(_FIRST_PID, self._signals.popleft())
            return runner.is_cancelled() or (deadline is not None and runner.seconds() >= deadline)

        world = World(runner.programs, internet, limits=runner.limits, is_cancelled=is_over)
        env = {"PATH": DEFAULT_PATH, "HOSTNAME": "buildkitsandbox", "HOME": self._home, **command.env}
        job = Command(argv=command.argv, env=env, cwd=command.cwd, stdin=command.stdin)
        stdin = self._stdin.reader(world.check) if command.stdin is None else None
        try:
            return Exit(
                world.run(root, job, self._output, caller=self._caller, stdin=stdin, errors=self._errors)
            )
        except ExecError as error:
            raise _not_started(self._rootfs, world, command, error) from None
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
