"""What every runner must do (``builder.protocols.Runner``), run on each of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

import pytest

from builder.errors import StepFailedError
from builder.protocols import Command, Exit, Mount, Network, Runner
from builder.runners.simulated import SimulatedRunner
from builder.strategies import programs
from builder.world.supplies import bases
from builder.world.supplies.internet import toy_internet
from unionfs_sim.layers.layer import File, Layer, layer
from unionfs_sim.mounting import mount
from unionfs_sim.vfs.posix import Posix


def simulated() -> Runner[Posix]:
    return SimulatedRunner(programs(), toy_internet())


RUNNERS = pytest.mark.parametrize("make", [simulated])
Make = Callable[[], Runner[Posix]]


def root() -> Posix:
    base = bases.find("busybox:latest")
    assert base is not None
    users = layer({"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n"})
    return mount([*base.layers, users.freeze()], Layer())


def run(make: Make, script: str, fs: Posix | None = None, **options: object) -> tuple[Exit, bytes]:
    printed = bytearray()
    command = Command(argv=("/bin/sh", "-c", script), **options)  # type: ignore[arg-type]
    ended = make().run(root() if fs is None else fs, command, output=printed.extend)
    return ended, bytes(printed)


@RUNNERS
def test_both_outputs_go_to_the_sink_in_order_and_the_status_is_the_commands(make: Make) -> None:
    ended, printed = run(make, "echo one; echo two >&2; echo three; exit 7")

    assert (ended.status, printed) == (7, b"one\ntwo\nthree\n")


@RUNNERS
def test_the_command_has_its_directory_environment_and_input(make: Make) -> None:
    _, printed = run(make, 'pwd; echo "$A"; cat', cwd="/new/place", env={"A": "b c"}, stdin=b"input")

    assert printed == b"/new/place\nb c\ninput"


@RUNNERS
def test_the_command_changes_the_root(make: Make) -> None:
    fs = root()

    run(make, "echo hi > /file; mkdir -p /d/e", fs)

    assert fs.read_bytes("/file") == b"hi\n"
    assert fs.listdir("/d") == ["e"]


@RUNNERS
@pytest.mark.parametrize(
    ("user", "expected"), [("", (0, 0)), ("web", (33, 44)), ("web:7", (33, 7)), ("5:6", (5, 6))]
)
def test_files_belong_to_the_user_that_runs(make: Make, user: str, expected: tuple[int, int]) -> None:
    fs = root()
    fs.mkdir("/open")
    fs.chmod("/open", 0o777)

    run(make, "echo x > /open/f", fs, user=user)

    assert fs.lstat("/open/f")[4:6] == expected


@RUNNERS
def test_an_unknown_user_and_an_absent_program_are_clear_errors(make: Make) -> None:
    with pytest.raises(StepFailedError, match="nobody-here"):
        run(make, "true", user="nobody-here")
    with pytest.raises(StepFailedError) as raised:
        make().run(root(), Command(argv=("absent",)), output=lambda data: None)
    assert raised.value.exit_status == 127


@RUNNERS
def test_mounts_are_seen_by_the_command_and_leave_nothing_in_the_root(make: Make) -> None:
    source = layer({"/src/f": "from the mount", "/key": File("secret", mode=0o400)}).freeze()
    cache = Layer()
    fs = root()
    before = set(fs.listdir("/"))
    mounts = (
        Mount(PurePosixPath("/in"), source, PurePosixPath("/src"), read_only=True),
        Mount(PurePosixPath("/run/secrets/key"), source, PurePosixPath("/key"), read_only=True),
        Mount(PurePosixPath("/cache"), cache),
        Mount(PurePosixPath("/scratch"), None),
    )

    ended, printed = run(
        make,
        "cat /in/f /run/secrets/key; echo kept > /cache/c; echo gone > /scratch/s; echo no > /in/f",
        fs,
        mounts=mounts,
    )

    assert printed.startswith(b"from the mountsecret")
    assert ended.status != 0
    assert cache.read_bytes("/c") == b"kept\n"
    assert not fs.exists("/cache/c")
    assert not fs.exists("/scratch/s")
    assert set(fs.listdir("/")) - before <= {"in", "cache", "scratch", "run"}


@RUNNERS
def test_without_a_network_no_host_is_found(make: Make) -> None:
    ended, _ = run(make, "wget -q -O - https://nginx.org/", network=Network.NONE)

    assert ended.status != 0


@RUNNERS
def test_a_command_that_does_not_end_is_stopped_and_says_so(make: Make) -> None:
    with pytest.raises(StepFailedError, match=r"did not end within 0\.05 s") as raised:
        run(make, "while :; do :; done", timeout_seconds=0.05)

    assert raised.value.exit_status == 124
