"""What every runner must do (``builder.protocols.Runner``), and what it does with each kind of mount.

A module that tests one makes a class of these laws, with a fixture ``machine``: a workshop, and a committed
state in it that has a shell, cat, echo, ls, mkdir, wget and the users of ``PASSWD``. The laws look at roots
through the verbs of ``Filesystem`` alone.
"""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from builder.context.edit import MakeDirectory
from builder.errors import NotSupportedError, StepFailedError
from builder.image.digest import DiffID
from builder.protocols import (
    EMPTY,
    Bind,
    Cache,
    Command,
    Exit,
    HostPath,
    Network,
    Secret,
    Snapshot,
    TerminalSize,
    Tmpfs,
    Workshop,
    Workspace,
)
from unionfs_sim.filesystem import Attributes, Filesystem
from unionfs_sim.layers.layer import Layer, Symlink, layer
from unionfs_sim.tar.pack import pack

PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n"
"""What /etc/passwd of the machine must hold."""


def nothing(data: bytes) -> None:
    """Take output that nobody looks at."""


def path(text: str) -> PurePosixPath:
    return PurePosixPath(text)


@dataclass
class Machine:
    """Where commands run. ``base``: what every root begins with."""

    workshop: Workshop[Any]
    base: Snapshot

    def root(self) -> Workspace[Any]:
        return self.workshop.snapshotter.prepare(self.base)

    def snapshot(self, tree: Layer) -> Snapshot:
        return EMPTY.with_layer(DiffID(self.workshop.store.put(pack(tree)).digest))

    def run(self, script: str, work: Workspace[Any] | None = None, **options: Any) -> tuple[Exit, bytes]:
        printed = bytearray()
        rootfs = (self.root() if work is None else work).rootfs
        command = Command(argv=("/bin/sh", "-c", script), **options)
        ended = self.workshop.runner.start(rootfs, command, output=printed.extend).wait()
        return ended, bytes(printed)


def read(fs: Filesystem, name: str) -> bytes:
    file = fs.open(name, os.O_RDONLY)
    try:
        return file.read()
    finally:
        file.close()


def names(fs: Filesystem, directory: str) -> list[str]:
    return sorted(fs.listdir(directory))


class Beside:
    """A process that is waited for in a thread, while the test does something to it."""

    def __init__(self, process: Any) -> None:
        self.process = process
        self.ended: list[Exit] = []
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._thread.start()

    def _wait(self) -> None:
        self.ended.append(self.process.wait())

    def end(self) -> Exit:
        self._thread.join(30)
        (ended,) = self.ended
        return ended


class Output:
    """A sink that can be waited for."""

    def __init__(self) -> None:
        self.data = b""
        self._grown = threading.Condition()

    def __call__(self, data: bytes) -> None:
        with self._grown:
            self.data += data
            self._grown.notify_all()

    def until(self, text: bytes) -> None:
        with self._grown:
            assert self._grown.wait_for(lambda: text in self.data, 30), self.data


class RunnerLaws:
    """The laws. ``has_terminals``: whether a command can have one. ``own``: the builder's names in a root.

    ``sees_host_paths``: whether a command can be shown a directory of the machine.
    """

    has_terminals = True
    sees_host_paths = True
    own: frozenset[str] = frozenset()

    # ---- what a command sees, and how it ends

    def test_both_outputs_go_to_the_sink_in_order_and_the_status_is_the_commands(
        self, machine: Machine
    ) -> None:
        ended, printed = machine.run("echo one; echo two >&2; echo three; exit 7")

        assert (ended.status, printed) == (7, b"one\ntwo\nthree\n")

    def test_errors_go_to_a_sink_of_their_own_if_there_is_one(self, machine: Machine) -> None:
        output, errors = Output(), Output()
        command = Command(argv=("/bin/sh", "-c", "echo one; echo two >&2; echo three"))

        machine.workshop.runner.start(machine.root().rootfs, command, output=output, errors=errors).wait()

        assert (output.data, errors.data) == (b"one\nthree\n", b"two\n")

    def test_the_command_has_its_directory_environment_and_input(self, machine: Machine) -> None:
        _, printed = machine.run('pwd; echo "$A"; cat', cwd="/new/place", env={"A": "b c"}, stdin=b"input")

        assert printed == b"/new/place\nb c\ninput"

    def test_the_command_changes_the_root(self, machine: Machine) -> None:
        work = machine.root()

        machine.run("echo hi > /file; mkdir -p /d/e", work)

        assert read(work.rootfs, "/file") == b"hi\n"
        assert names(work.rootfs, "/d") == ["e"]

    @pytest.mark.parametrize(
        ("user", "expected"), [("", (0, 0)), ("web", (33, 44)), ("web:7", (33, 7)), ("5:6", (5, 6))]
    )
    def test_files_belong_to_the_user_that_runs(
        self, machine: Machine, user: str, expected: tuple[int, int]
    ) -> None:
        work = machine.root()
        machine.workshop.snapshotter.apply(work, [MakeDirectory("/open", Attributes(mode=0o777))])

        machine.run("echo x > /open/f", work, user=user)

        status = work.rootfs.lstat("/open/f")
        assert (status.st_uid, status.st_gid) == expected

    def test_an_unknown_user_and_an_absent_program_are_clear_errors(self, machine: Machine) -> None:
        with pytest.raises(StepFailedError, match="nobody-here"):
            machine.run("true", user="nobody-here")
        with pytest.raises(StepFailedError) as raised:
            command = Command(argv=("absent",))
            machine.workshop.runner.start(machine.root().rootfs, command, output=nothing).wait()
        assert raised.value.exit_status == 127

    def test_without_a_network_no_host_is_found(self, machine: Machine) -> None:
        ended, _ = machine.run("wget -q -O - https://nginx.org/", network=Network.NONE)

        assert ended.status != 0

    def test_a_command_that_does_not_end_is_stopped_and_says_so(self, machine: Machine) -> None:
        with pytest.raises(StepFailedError, match=r"did not end within 0\.05 s") as raised:
            machine.run("while :; do :; done", timeout_seconds=0.05)

        assert raised.value.exit_status == 124

    # ---- a process that runs

    def test_input_can_be_written_while_the_command_runs(self, machine: Machine) -> None:
        output = Output()
        command = Command(argv=("/bin/sh", "-c", "while read line; do echo got $line; done"), stdin=None)
        process = machine.workshop.runner.start(machine.root().rootfs, command, output=output)
        beside = Beside(process)

        process.stdin.write(b"one\n")
        output.until(b"got one\n")
        process.stdin.write(b"two\n")
        process.stdin.close()

        assert beside.end() == Exit(0)
        assert output.data == b"got one\ngot two\n"

    def test_waiting_again_tells_the_same(self, machine: Machine) -> None:
        command = Command(argv=("/bin/sh", "-c", "exit 3"))
        process = machine.workshop.runner.start(machine.root().rootfs, command, output=nothing)

        assert [process.wait(), process.wait()] == [Exit(3), Exit(3)]

    def test_a_signal_ends_a_command_that_does_not_expect_it(self, machine: Machine) -> None:
        output = Output()
        command = Command(argv=("/bin/sh", "-c", "echo up; read line; echo never"), stdin=None)
        process = machine.workshop.runner.start(machine.root().rootfs, command, output=output)
        beside = Beside(process)
        output.until(b"up\n")

        process.signal(signal.SIGKILL)

        assert beside.end() == Exit(128 + signal.SIGKILL)
        process.signal(signal.SIGKILL)
        assert output.data == b"up\n"

    def test_one_more_command_runs_beside_a_running_one_and_sees_its_mounts(self, machine: Machine) -> None:
        output, other = Output(), Output()
        mounts = (Secret(target=path("/run/secrets/key"), content=b"s3cret"),)
        script = "echo there > /file; echo up; read line"
        command = Command(argv=("/bin/sh", "-c", script), stdin=None, mounts=mounts)
        process = machine.workshop.runner.start(machine.root().rootfs, command, output=output)
        beside = Beside(process)
        output.until(b"up\n")

        more = Command(argv=("/bin/sh", "-c", "cat /file /run/secrets/key; exit 5"))
        ended = process.exec(more, output=other).wait()

        process.stdin.close()
        beside.end()
        assert (ended, other.data) == (Exit(5), b"there\ns3cret")

    def test_a_terminal_is_one_or_refused(self, machine: Machine) -> None:
        output = Output()
        script = "[ -t 0 ] && [ -t 1 ] && echo yes"
        command = Command(argv=("/bin/sh", "-c", script), stdin=None, terminal=TerminalSize(80, 24))

        if not self.has_terminals:
            with pytest.raises(NotSupportedError, match="terminal"):
                machine.workshop.runner.start(machine.root().rootfs, command, output=output)
            return
        process = machine.workshop.runner.start(machine.root().rootfs, command, output=output)
        process.resize(TerminalSize(100, 40))
        process.wait()
        assert output.data.strip() == b"yes"

    # ---- mounts

    def test_a_bind_shows_files_of_a_snapshot_and_keeps_them(self, machine: Machine) -> None:
        source = machine.snapshot(layer({"/src/f": "from the mount", "/src/l": Symlink("f")}))
        work = machine.root()
        before = set(names(work.rootfs, "/"))
        mounts = (
            Bind(target=path("/in"), snapshot=source, path=path("/src")),
            Bind(target=path("/one"), snapshot=source, path=path("/src/f")),
        )

        _, printed = machine.run("cat /in/f /in/l /one; echo no > /in/f || echo kept", work, mounts=mounts)

        assert printed.startswith(b"from the mount" * 3)
        assert printed.endswith(b"kept\n")
        assert set(names(work.rootfs, "/")) - before - self.own <= {"in", "one"}

    def test_what_is_written_to_a_bind_is_forgotten(self, machine: Machine) -> None:
        source = machine.snapshot(layer({"/src/f": "old"}))
        work = machine.root()
        mounts = (Bind(target=path("/in"), snapshot=source, path=path("/src"), read_only=False),)

        _, first = machine.run("echo new > /in/f; cat /in/f", work, mounts=mounts)
        _, second = machine.run("cat /in/f", work, mounts=mounts)

        assert (first, second) == (b"new\n", b"old")

    def test_a_cache_is_there_again_and_in_no_layer(self, machine: Machine) -> None:
        work = machine.root()
        mounts = (Cache(target=path("/cache"), id="laws"),)

        machine.run("echo kept > /cache/c", work, mounts=mounts)
        _, printed = machine.run("cat /cache/c", work, mounts=mounts)

        assert printed == b"kept\n"
        with pytest.raises(FileNotFoundError):
            work.rootfs.lstat("/cache/c")

    def test_a_new_cache_has_its_mode_and_owner_or_its_initial_files(self, machine: Machine) -> None:
        source = machine.snapshot(layer({"/src/f": "initial"}))
        mounts = (
            Cache(target=path("/plain"), id="plain", mode=0o700, uid=33, gid=44),
            Cache(target=path("/full"), id="full", initial=(source, path("/src"))),
        )

        _, printed = machine.run("ls -ldn /plain; cat /full/f", mounts=mounts)

        assert printed.split()[0] == b"drwx------"
        assert printed.split()[2:4] == [b"33", b"44"]
        assert printed.endswith(b"initial")

    def test_a_tmpfs_is_empty_at_first_and_gone_afterwards(self, machine: Machine) -> None:
        work = machine.root()
        mounts = (Tmpfs(target=path("/scratch")),)

        machine.run("echo gone > /scratch/s", work, mounts=mounts)
        _, printed = machine.run("ls /scratch", work, mounts=mounts)

        assert printed == b""

    def test_a_secret_is_one_file_with_a_mode_and_leaves_nothing(self, machine: Machine) -> None:
        work = machine.root()
        mounts = (Secret(target=path("/run/secrets/key"), content=b"s3cret", mode=0o440, gid=44),)

        _, printed = machine.run("cat /run/secrets/key; ls -ln /run/secrets/key", work, mounts=mounts)

        assert printed.startswith(b"s3cret-r--r-----")
        with pytest.raises(FileNotFoundError):
            read(work.rootfs, "/run/secrets/key")

    def test_a_file_of_this_machine_is_seen(self, machine: Machine, tmp_path: Path) -> None:
        tmp_path.chmod(0o755)
        (tmp_path / "f").write_text("of the host")
        mounts = (HostPath(target=path("/host"), source=tmp_path),)

        if not self.sees_host_paths:
            with pytest.raises(NotSupportedError, match="of this machine"):
                machine.run("cat /host/f", mounts=mounts)
            return
        _, printed = machine.run("cat /host/f", mounts=mounts)

        assert printed == b"of the host"
