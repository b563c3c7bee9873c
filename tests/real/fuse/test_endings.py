"""However a mount ends, no mount and no process stays behind, and nobody waits for ever."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.fuse

LAYERLAB = [sys.executable, "-m", "course", "fs", "mount"]


@pytest.fixture
def lower(tmp_path: Path) -> Path:
    folder = tmp_path / "lower"
    folder.mkdir()
    (folder / "motd").write_text("hello\n")
    (tmp_path / "merged").mkdir()
    return folder


def within_seconds(true: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


def running(word: str) -> list[int]:
    """The processes whose command line has ``word``."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            line = Path(f"/proc/{name}/cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in line and int(name) != os.getpid():
            found.append(int(name))
    return found


def start(lower: Path, *command: str) -> subprocess.Popen[str]:
    argv = [*LAYERLAB, "--lower", str(lower), str(lower.parent / "merged")]
    return subprocess.Popen(
        [*argv, *(["--", *command] if command else [])],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def with_a_sleeper(lower: Path) -> tuple[subprocess.Popen[str], str]:
    """A server whose command has started a process; and a word that names that process."""
    mark = f"{time.monotonic_ns()}"
    script = f"touch started; sleep 1000.{mark} & echo; wait"
    server = start(lower, "sh", "-c", script)
    assert within_seconds(lambda: bool(running(f"sleep\0001000.{mark}")))
    return server, mark


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killing_the_server_ends_the_command_and_all_it_started(lower: Path, number: int) -> None:
    server, mark = with_a_sleeper(lower)

    server.send_signal(number)
    server.communicate(timeout=20)

    assert within_seconds(lambda: not running(mark))


def test_killing_the_command_ends_the_server_with_its_status(lower: Path) -> None:
    server, mark = with_a_sleeper(lower)
    (shell,) = (pid for pid in running(mark) if b"sh\0-c" in Path(f"/proc/{pid}/cmdline").read_bytes()[:6])

    os.kill(shell, signal.SIGKILL)
    server.communicate(timeout=20)

    assert server.returncode == 128 + signal.SIGKILL
    assert within_seconds(lambda: not running(mark))


def test_ctrl_c_is_for_the_command_and_the_status_is_130(lower: Path) -> None:
    server, mark = with_a_sleeper(lower)

    os.killpg(server.pid, signal.SIGINT)
    _, errors = server.communicate(timeout=20)

    assert (server.returncode, "Traceback" in errors) == (130, False)
    assert within_seconds(lambda: not running(mark))


def test_a_command_that_wants_no_ctrl_c_goes_on(lower: Path) -> None:
    server = start(lower, "sh", "-c", "trap '' INT; touch started; sleep 0.6; cat motd")
    assert within_seconds(lambda: bool(running("sleep\0000.6")))

    os.killpg(server.pid, signal.SIGINT)
    output, _ = server.communicate(timeout=20)

    assert (server.returncode, output) == (0, "hello\n")


def test_what_the_command_leaves_running_ends_with_it(lower: Path) -> None:
    mark = f"1000.{time.monotonic_ns()}"
    server = start(lower, "sh", "-c", f"setsid sleep {mark} > /dev/null 2>&1 & exit 3")

    server.communicate(timeout=20)

    assert server.returncode == 3
    assert within_seconds(lambda: not running(mark))


@pytest.mark.kernel
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_mount_for_all_is_gone_after_the_server_was_ended(lower: Path, number: int) -> None:
    merged = lower.parent / "merged"
    server = start(lower)
    assert within_seconds(lambda: (merged / "motd").exists())
    holder = os.open(merged / "motd", os.O_RDONLY)

    server.send_signal(number)
    server.communicate(timeout=20)

    try:
        assert within_seconds(lambda: str(merged) not in Path("/proc/self/mounts").read_text())
        assert os.listdir(merged) == []
        assert within_seconds(lambda: not running(str(merged)))
    finally:
        with contextlib.suppress(OSError):  # its server is gone: ENOTCONN
            os.close(holder)


@pytest.mark.kernel
def test_after_a_killed_server_the_next_mount_works(lower: Path) -> None:
    merged = lower.parent / "merged"
    killed = start(lower)
    assert within_seconds(lambda: (merged / "motd").exists())
    killed.kill()
    killed.communicate(timeout=20)
    assert within_seconds(lambda: str(merged) not in Path("/proc/self/mounts").read_text())

    output, _ = start(lower, "cat", "motd").communicate(timeout=20)

    assert output == "hello\n"


@pytest.mark.kernel
def test_who_unmounts_ends_the_server(lower: Path) -> None:
    merged = lower.parent / "merged"
    server = start(lower)
    assert within_seconds(lambda: (merged / "motd").exists())

    subprocess.run(["umount", str(merged)], check=True)
    server.communicate(timeout=20)

    assert server.returncode == 0


BROKEN = """
import sys
from unionfs_sim import Layer, layer, mount
from unionfs_sim.fuse import Server
from builder.namespace.fusemount import Place, mounted_for
union = mount([layer({"/motd": "hello"})], Layer())
union.tree.target = union.tree.content = lambda node: 1 / 0
bugs = []
status = mounted_for(Place(sys.argv[1]), Server(union, on_bug=bugs.append).serve, sys.argv[2:])
print(status, [type(bug).__name__ for bug in bugs[:1]])
"""


def test_a_bug_in_the_server_is_eio_for_who_asked_and_the_rest_goes_on(lower: Path) -> None:
    script = "cat motd; ls; echo new > other; ls"
    argv = [sys.executable, "-c", BROKEN, str(lower.parent / "merged"), "sh", "-c", script]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)

    assert "Input/output error" in done.stderr
    assert done.stdout == "motd\nmotd\nother\n0 ['ZeroDivisionError']\n"


NONSENSE = BROKEN.replace("lambda node: 1 / 0", "lambda node: None").replace(
    "bugs = []", "Server.attributes = lambda self, node: b'short'; bugs = []"
)


def test_an_answer_that_the_kernel_cannot_read_is_eio_as_well(lower: Path) -> None:
    argv = [sys.executable, "-c", NONSENSE, str(lower.parent / "merged"), "true"]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)

    assert "Input/output error" in done.stderr
    assert done.stdout == "126 ['OSError']\n"


UNPRIVILEGED = """
import ctypes, os, sys, warnings  # all while the library of a Python in /root can be read
from unionfs_sim import Layer, layer, mount
from unionfs_sim.fuse import Server
from builder.errors import BuildError
from builder.namespace.fusemount import Place, mounted_for
os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, 1)  # PR_SET_DUMPABLE, as a process is that did not begin as root
union = mount([layer({"/motd": "hello", "/d/a": "1"})], Layer())
try:
    place = Place(sys.argv[1], device=sys.argv[2])
    status = mounted_for(place, Server(union).serve, sys.argv[3:])
except BuildError as error:
    sys.exit(str(error))
print(status, sorted(union.listdir("/")))
"""


@pytest.mark.rootless
@pytest.mark.kernel  # root makes the device node
def test_without_root_in_a_user_namespace(lower: Path) -> None:
    device = lower.parent / "fuse"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(10, 229))
    os.chmod(device, 0o666)
    for folder in (lower.parent, *lower.parent.parents[:3]):
        if folder != Path("/"):
            os.chmod(folder, os.stat(folder).st_mode | 0o055)
    script = "id -u; cat motd; echo; rm -r d; mkdir e; ln motd two; stat -c %h motd; ls"
    argv = [sys.executable, "-c", UNPRIVILEGED, str(lower.parent / "merged"), str(device), "sh", "-c", script]

    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)

    assert done.stderr == ""
    assert done.stdout.split("\n")[:-1] == ["0", "hello", "2", "e", "motd", "two", "0 ['e', 'motd', 'two']"]
