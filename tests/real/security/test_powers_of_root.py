"""What root in a container may do with which capability: experiments A, B and C3, tried again here.

Each step of the graph that names one of them as its evidence rests on what is seen here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from confined import container, said, with_user_namespace

from builder.security.tables import edges

pytestmark = [pytest.mark.kernel, pytest.mark.tools("unshare", "setpriv")]


@pytest.fixture
def canary() -> str:
    return f"canary-{os.urandom(8).hex()}"


MOUNT = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
done = libc.mount(b"canary", sys.argv[1].encode(), b"tmpfs", 0, None)
print("mounted" if done == 0 else os.strerror(ctypes.get_errno()))
"""


def test_b0_b1_mount_asks_for_sys_admin(tmp_path: Path) -> None:
    assert said(MOUNT, *container(), arguments=[tmp_path]) == "Operation not permitted"
    assert said(MOUNT, *container("sys_admin"), arguments=[tmp_path]) == "mounted"
    assert not os.path.ismount(tmp_path)  # it was in a namespace that has ended


READ_ROOT = """
import os, sys
try:
    print(open(f"/proc/{sys.argv[1]}/root{sys.argv[2]}").read())
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture
def process_of_the_node() -> Iterator[int]:
    """A process with all capabilities, as those of a node have them."""
    with subprocess.Popen(["sleep", "120"]) as process:
        yield process.pid
        process.kill()


def test_b4_b5_the_root_of_a_visible_process_asks_for_sys_ptrace(
    tmp_path: Path, canary: str, process_of_the_node: int
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(canary)
    secret.chmod(0o600)
    where = [process_of_the_node, secret]

    assert said(READ_ROOT, *container(), arguments=where) == "Permission denied"
    assert said(READ_ROOT, *container("sys_ptrace"), arguments=where) == canary


CONNECT = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    try:
        client.connect(sys.argv[1])
        print(client.recv(100).decode())
    except OSError as error:
        print(error.strerror)
"""


@pytest.fixture
def daemon(tmp_path: Path, canary: str) -> Iterator[Path]:
    """A socket as a runtime's: of root and a group, 0660. Whoever opens it is told the canary."""
    directory = Path("/tmp") / f"layerlab-{os.urandom(4).hex()}"  # short enough for a socket's path
    directory.mkdir(mode=0o755)
    path = directory / "daemon.sock"
    script = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8)\n"
        "while True:\n    c, _ = s.accept(); c.sendall(sys.argv[2].encode()); c.close()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(path), canary]) as process:
        try:
            for _ in range(500):
                if path.exists():
                    break
                time.sleep(0.01)
            os.chown(path, 0, 45_000)
            path.chmod(0o660)
            yield path
        finally:
            process.kill()
            process.wait()
            path.unlink(missing_ok=True)
            directory.rmdir()


def test_a1_a2_a_socket_is_opened_by_its_file_mode_alone(daemon: Path, canary: str) -> None:
    nothing = ("unshare", "-m", "setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")
    read_only = ("unshare", "-m", "sh", "-c", 'mount --bind -o ro "$0" "$0" && exec "$@"', str(daemon.parent))

    assert said(CONNECT, *nothing, arguments=[daemon]) == canary
    assert said(CONNECT, *read_only, arguments=[daemon]) == canary


def test_a4_a5_another_user_needs_the_sockets_group(daemon: Path, canary: str) -> None:
    def user(*groups: str) -> tuple[str, ...]:
        return ("setpriv", "--reuid=45001", "--regid=45001", *groups)

    assert said(CONNECT, *user("--clear-groups"), arguments=[daemon]) == "Permission denied"
    assert said(CONNECT, *user("--groups=45000"), arguments=[daemon]) == canary


def sh(script: str, *prefix: str, name: str = "sh") -> tuple[int, str]:
    """Status and output of a shell script: a user whom the host does not know may not reach our Python."""
    done = subprocess.run([*prefix, "sh", "-c", script, name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_c3_a_user_namespace_takes_roots_files_from_root(tmp_path: Path, canary: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(canary)
    secret.chmod(0o600)
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)

    assert sh('cat "$0"', *container(), name=str(secret)) == (0, canary)
    status, words = sh('cat "$0"', *with_user_namespace(), name=str(secret))
    assert (status, canary in words) == (1, False)
    assert "Permission denied" in words
    # but a mount namespace is its own, and what may be mounted in one is
    assert sh("mount -t tmpfs none /mnt && stat -f -c %T /mnt", *with_user_namespace()) == (0, "tmpfs\n")
    assert sh("mount -t tmpfs none /mnt", *container())[0] != 0


def test_c3_the_kernels_settings_are_roots_of_the_node_and_of_no_other() -> None:
    opened = ": >> /proc/sys/kernel/core_pattern"  # opened, and nothing written

    assert sh(opened, *container()) == (0, "")
    assert "Permission denied" in sh(opened, *with_user_namespace())[1]


DEVICE = """
import os, stat, sys
path = sys.argv[1] + "/device"
try:
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))  # /dev/zero
    with open(path, "rb") as device:
        print(len(device.read(4)))
except OSError as error:
    print(error.strerror)
"""


def test_b0_a_device_node_is_made_with_mknod_and_in_no_user_namespace(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    mapped = ("unshare", "--user", "--map-root-user", "-m")

    assert said(DEVICE, *container(dropped=["mknod"]), arguments=[tmp_path]) == "Operation not permitted"
    assert said(DEVICE, *mapped, arguments=[tmp_path]) == "Operation not permitted"
    # Here no device cgroup stands before it; in a container one does, and privileged lifts it.
    assert said(DEVICE, *container(), arguments=[tmp_path]) == "4"


def test_every_experiment_of_this_file_is_the_evidence_of_a_step() -> None:
    tried = {"A1", "A2", "A4", "A5", "B0", "B1", "B4", "B5", "C3a", "C3b"}

    assert tried <= {source for edge in edges() for source in edge.evidence}
