"""The simulated runner: users, mounts, the network, time limits, and commands that cannot start."""

from __future__ import annotations

import signal
import threading
from collections import ChainMap
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

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
    Ssh,
    Tmpfs,
    run,
)
from builder.runners.simulated import SimulatedRunner, account
from builder.snapshotters.memory import MemorySnapshotter
from builder.stores.cachemounts import CacheMounts
from builder.stores.memory import MemoryStore
from builder.world.machine.mounted import MountedPosix
from builder.world.machine.process import Process, Program
from builder.world.shell import SHELLS
from builder.world.supplies.internet import UnreachableError, toy_internet
from builder.world.utilities import UTILITIES
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.mounting import mount
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.tar.pack import pack
from unionfs_sim.vfs.posix import Posix

PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n"
GROUP = "root:x:0:\napp:x:1001:\nweb:x:33:app\n"


def fetch(process: Process) -> int:
    """A program that asks the internet."""
    try:
        process.out(f"{process.machine.internet.fetch(process.argv[1]).status}\n")
    except UnreachableError as error:
        process.complain(str(error))
        return 1
    return 0


class Bench:
    """A root and a runner. ``say`` runs a script in the root."""

    def __init__(self) -> None:
        tools = (
            "cat",
            "chmod",
            "dash",
            "fetch",
            "id",
            "ln",
            "ls",
            "mkdir",
            "mv",
            "rm",
            "rmdir",
            "sleep",
            "touch",
        )
        literal: dict[str, Any] = {
            f"/bin/{name}": File(f"\x7fSIM {name}\n".encode(), mode=0o755) for name in tools
        }
        literal |= {"/bin/sh": Symlink("dash"), "/etc/passwd": PASSWD, "/etc/group": GROUP}
        literal |= {
            "/tmp": Dir(mode=0o1777),
            "/home/app": Dir(uid=1000, gid=1001),
            "/app/main.c": "int main;",
        }
        self.upper = Layer()
        self.root = mount([layer(literal).freeze()], self.upper)
        programs: Mapping[str, Program] = ChainMap(  # type: ignore[assignment]
            {"fetch": fetch},
            dict(SHELLS),
            UTILITIES,  # type: ignore[arg-type]
        )
        self.store = MemoryStore()
        self.runner = SimulatedRunner(
            programs,
            toy_internet(),
            snapshotter=MemorySnapshotter(self.store),
            caches=CacheMounts(self.store),
        )
        self.printed = b""

    def bind(self, target: str, tree: Layer, path: str = "/", *, read_only: bool = True) -> tuple[Bind, ...]:
        """A bind mount of ``path`` of ``tree``."""
        snapshot = EMPTY.with_layer(DiffID(self.store.put(pack(tree)).digest))
        place = PurePosixPath(target), PurePosixPath(path)
        return (Bind(target=place[0], snapshot=snapshot, path=place[1], read_only=read_only),)

    def run(self, *argv: str, **more: Any) -> Exit:
        """Run a command."""
        pieces: list[bytes] = []
        more.setdefault("env", {"PATH": "/bin"})
        try:
            return run(self.runner, self.root, Command(argv=argv, **more), output=pieces.append)
        finally:
            self.printed = b"".join(pieces)

    def say(self, script: str, **more: Any) -> str:
        """What a script prints."""
        self.run("/bin/sh", "-c", script, **more)
        return self.printed.decode()


@pytest.fixture
def bench() -> Bench:
    return Bench()


SECRET = (Secret(target=PurePosixPath("/run/secrets/token"), content=b"s3cret"),)


def tmpfs(target: str) -> tuple[Tmpfs, ...]:
    return (Tmpfs(target=PurePosixPath(target)),)


# ---- users


@pytest.mark.parametrize(
    ("text", "caller", "home"),
    [
        ("", Caller(0, 0), "/root"),
        ("app", Caller(1000, 1001, frozenset({33})), "/home/app"),
        ("1000", Caller(1000, 1001, frozenset({33})), "/home/app"),
        ("4711", Caller(4711, 0), "/"),
        ("app:web", Caller(1000, 33), "/home/app"),
        ("4711:4712", Caller(4711, 4712), "/"),
    ],
)
def test_a_user_is_found_in_the_image(bench: Bench, text: str, caller: Caller, home: str) -> None:
    found = account(bench.root, text)

    assert (Caller(found.uid, found.gid, found.groups), found.home) == (caller, home)


@pytest.mark.parametrize("text", ["nobody", "app:none"])
def test_a_user_or_group_that_the_image_does_not_have_is_refused(bench: Bench, text: str) -> None:
    with pytest.raises(StepFailedError, match="unable to find"):
        bench.run("/bin/sh", "-c", ":", user=text)


def test_a_command_runs_as_its_user(bench: Bench) -> None:
    assert bench.say("echo x >/root.txt; echo $HOME; touch $HOME/f; ls /home/app", user="app") == (
        "/bin/sh: 1: cannot create /root.txt: Permission denied\n/home/app\nf\n"
    )


# ---- where and what


def test_a_working_directory_that_does_not_exist_is_made(bench: Bench) -> None:
    assert bench.say("pwd; touch here", cwd="/srv/a/b") == "/srv/a/b\n"
    assert bench.root.exists("/srv/a/b/here")


def test_the_exit_status_is_the_commands(bench: Bench) -> None:
    assert bench.run("/bin/sh", "-c", "exit 7") == Exit(7)


def test_an_exec_form_command_is_found_in_path(bench: Bench) -> None:
    bench.run("cat", "/app/main.c")

    assert bench.printed == b"int main;"


@pytest.mark.parametrize(
    ("argv", "what", "status"),
    [
        (("nothing",), 'exec: "nothing": executable file not found in $PATH', 127),
        (("/none",), 'exec: "/none": no such file or directory', 127),
        (("/app/main.c",), 'exec: "/app/main.c": permission denied', 126),
    ],
)
def test_a_command_that_cannot_start_says_why(
    bench: Bench, argv: tuple[str, ...], what: str, status: int
) -> None:
    with pytest.raises(StepFailedError) as failed:
        bench.run(*argv)

    assert (failed.value.what, failed.value.exit_status) == (what, status)


def test_a_script_without_its_interpreter_is_explained(bench: Bench) -> None:
    bench.say("printf '#!/usr/bin/python3\\n' >/app/s; chmod 755 /app/s")

    with pytest.raises(StepFailedError, match="no such file") as failed:
        bench.run("/app/s")

    assert "interpreter" in (failed.value.fix or "")


def test_an_image_without_a_shell_is_explained() -> None:
    with pytest.raises(StepFailedError) as failed:
        run(SimulatedRunner({}, None), Layer(), Command(argv=("/bin/sh", "-c", ":")), output=lambda _: None)

    assert "no shell" in (failed.value.fix or "")


# ---- network and time


def test_without_a_network_no_host_has_an_address(bench: Bench) -> None:
    assert bench.say("fetch https://nginx.org/", network=Network.NONE) == "fetch: bad address 'nginx.org'\n"


def test_a_command_that_does_not_end_in_time_is_stopped(bench: Bench) -> None:
    with pytest.raises(StepFailedError, match=r"did not end within 0\.05 s") as failed:
        bench.run("/bin/sh", "-c", "while :; do :; done", timeout_seconds=0.05)

    assert failed.value.exit_status == 124


def test_a_sleep_does_not_use_up_the_time_limit(bench: Bench) -> None:
    assert bench.run("/bin/sh", "-c", "sleep 100000", timeout_seconds=5.0) == Exit(0)


# ---- /dev


def test_devices_work_and_leave_nothing_in_the_layer(bench: Bench) -> None:
    script = (
        "cat /dev/null >/dev/null; echo a | cat /dev/stdin; echo b >/dev/stdout; [ -c /dev/null ] && echo c"
    )

    assert bench.say(script) == "a\nb\nc\n"
    assert bench.upper.listdir("/") == []


def test_a_link_to_dev_stdout_is_a_log_file(bench: Bench) -> None:
    assert bench.say("ln -s /dev/stdout /app/log; echo logged >>/app/log") == "logged\n"


# ---- mounts


def test_a_bind_mount_shows_a_directory_of_another_tree(bench: Bench) -> None:
    source = layer({"/src/a": "text", "/src/l": Symlink("a"), "/src/up": Symlink("/app/main.c")})

    said = bench.say(
        "cat /mnt/in/a /mnt/in/l /mnt/in/up; cd /mnt/in; ls; pwd",
        mounts=bench.bind("/mnt/in", source, "/src"),
    )

    assert said == "texttextint main;a\nl\nup\n/mnt/in\n"
    assert bench.upper.listdir("/") == []


def test_a_read_only_mount_cannot_be_written(bench: Bench) -> None:
    mounts = bench.bind("/in", layer({"/a": "text"}))

    assert "Read-only file system" in bench.say("echo x >/in/a; cat /in/a", mounts=mounts)
    assert bench.printed.endswith(b"text")


def test_a_cache_keeps_what_was_written_and_the_layer_does_not(bench: Bench) -> None:
    mounts = (Cache(target=PurePosixPath("/var/cache/x"), id="x"),)
    bench.say("mkdir -p /var/cache/x/d; echo kept >/var/cache/x/d/f", mounts=mounts)

    assert bench.say("cat /var/cache/x/d/f", mounts=mounts) == "kept\n"
    assert not bench.upper.exists("/var")


def test_one_cache_at_two_places_of_one_command_is_one_tree(bench: Bench) -> None:
    mounts = tuple(Cache(target=PurePosixPath(target), id="x") for target in ("/one", "/two"))

    assert bench.say("echo kept >/one/f; cat /two/f", mounts=mounts) == "kept\n"


def test_a_secret_is_one_file_that_is_gone_afterwards(bench: Bench) -> None:
    assert bench.say("cat /run/secrets/token; ls /run/secrets", mounts=SECRET) == "s3crettoken\n"
    assert not bench.root.exists("/run")


def test_a_secret_is_not_for_other_users(bench: Bench) -> None:
    assert "Permission denied" in bench.say("cat /run/secrets/token", mounts=SECRET, user="app")


def test_a_mount_hides_what_the_image_has_there(bench: Bench) -> None:
    assert bench.say("ls /app; touch /app/new; ls /app", mounts=tmpfs("/app")) == "new\n"
    assert bench.root.listdir("/app") == ["main.c"]


def test_a_file_cannot_be_moved_between_trees_by_rename_alone(bench: Bench) -> None:
    assert bench.say("mv /app/main.c /t/x && cat /t/x; ls /app", mounts=tmpfs("/t")) == "int main;"


def test_a_mount_point_is_busy(bench: Bench) -> None:
    assert "busy" in bench.say("rmdir /t", mounts=tmpfs("/t"))


def test_a_symlink_of_the_image_leads_into_a_mount(bench: Bench) -> None:
    mounts = bench.bind("/data", layer({"/f": "inside"}), read_only=False)

    assert (
        bench.say("ln -s /data /app/d; cat /app/d/f; echo more >/app/d/g; cat /data/g", mounts=mounts)
        == "insidemore\n"
    )


def test_a_relative_path_within_a_mount_stays_there(bench: Bench) -> None:
    mounts = bench.bind("/data", layer({"/d/f": "inside"}))

    assert bench.say("cd /data/d; cat ../d/f; cd ../..; pwd; ls data", mounts=mounts) == "inside/\nd\n"


def test_a_directory_of_this_machine_is_copied_in(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/f").write_text("text")
    (tmp_path / "l").symlink_to("d/f")
    mounts = (HostPath(target=PurePosixPath("/in"), source=tmp_path),)

    assert bench.say("cat /in/l; [ -x /in/d ] && ls /in", mounts=mounts) == "textd\nl\n"


def test_what_the_simulated_world_cannot_mount_is_refused(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(NotSupportedError, match="ssh agent"):
        bench.run("ls", mounts=(Ssh(target=PurePosixPath("/s"), agent=tmp_path),))
    with pytest.raises(NotSupportedError, match="writes to no directory"):
        bench.run("ls", mounts=(HostPath(target=PurePosixPath("/s"), source=tmp_path, read_only=False),))


# ---- input that is written while the command runs


def test_who_writes_to_a_command_that_has_ended_is_told(bench: Bench) -> None:
    command = Command(argv=("/bin/sh", "-c", ":"), env={"PATH": "/bin"}, stdin=None)
    process = bench.runner.start(bench.root, command, output=lambda _: None)

    process.wait()

    with pytest.raises(BrokenPipeError):
        process.stdin.write(b"x")


def test_more_than_a_pipe_holds_waits_for_the_reader(bench: Bench) -> None:
    command = Command(argv=("cat",), env={"PATH": "/bin"}, stdin=None)
    pieces: list[bytes] = []
    process = bench.runner.start(bench.root, command, output=pieces.append)
    content = bytes(range(256)) * 1000

    def write() -> None:
        process.stdin.write(content)
        process.stdin.close()

    writer = threading.Thread(target=write)
    writer.start()
    ended = process.wait()
    writer.join(10)

    assert (ended, b"".join(pieces)) == (Exit(0), content)


def test_a_command_that_waits_for_input_is_ended_when_its_time_is_over(bench: Bench) -> None:
    command = Command(argv=("cat",), env={"PATH": "/bin"}, stdin=None, timeout_seconds=0.05)

    with pytest.raises(StepFailedError, match="did not end"):
        bench.runner.start(bench.root, command, output=lambda _: None).wait()


def test_a_command_can_expect_a_signal(bench: Bench) -> None:
    script = "trap 'echo got it; exit 4' TERM; echo up; while :; do :; done"
    command = Command(argv=("/bin/sh", "-c", script), env={"PATH": "/bin"})
    pieces: list[bytes] = []

    def output(data: bytes) -> None:
        pieces.append(data)
        if data == b"up\n":
            process.signal(signal.SIGTERM)

    process = bench.runner.start(bench.root, command, output=output)

    assert (process.wait(), b"".join(pieces)) == (Exit(4), b"up\ngot it\n")


def test_every_verb_of_a_tree_goes_through_the_mounts() -> None:
    verbs = {name for name in dir(Posix) if not name.startswith("_")}
    routed = set(vars(MountedPosix))

    # The rest is written in terms of the others, or belongs to a file that is open already.
    assert verbs - routed == {"beside", "caller", "clock", "read_bytes", "rename", "write_bytes", "xattrs"}
