"""What a RUN gets of its builder: experiments C1, C2 and B7, tried again as an ordinary user.

The builder is a process with a canary in its environment; a RUN is a child of it, as Kaniko starts one, or in
a user namespace, as rootless builders start one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builder.security.tables import edges

pytestmark = [pytest.mark.rootless]

BUILDER = """
import subprocess, sys
run = [*sys.argv[1:], sys.executable, "-I", "-c", '''
import os, sys
parent = int(sys.argv[1])
for name in ("environ", "root/etc/passwd", "mem"):
    try:
        with open(f"/proc/{parent}/{name}", "rb") as file:
            print(name, "canary" if b"CANARY=" in file.read(1 << 16) else "readable")
    except OSError as error:
        print(name, error.strerror)
try:
    os.kill(parent, 0)
    print("kill allowed")
except OSError as error:
    print("kill", error.strerror)
''']
import os
print(subprocess.run([*run, str(os.getpid())], capture_output=True, text=True).stdout)
"""


def told(*prefix: str) -> dict[str, str]:
    """What a RUN behind ``prefix`` says of its builder."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", BUILDER, *prefix],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "CANARY": "1"},
    )
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if line)


def test_c1_a_plain_child_reads_the_builders_environment_and_root() -> None:
    found = told()

    assert found["environ"] == "canary"
    assert found["root/etc/passwd"] == "readable"
    assert found["kill"] == "allowed"


def test_c2_a_child_in_a_user_namespace_reads_neither_and_may_still_signal() -> None:
    found = told("unshare", "--user", "--map-root-user")

    assert found["environ"] == "Permission denied"
    assert found["root/etc/passwd"] == "Permission denied"
    assert found["mem"] == "Permission denied"
    assert found["kill"] == "allowed"  # one PID namespace: builder_kill


def test_a_pid_namespace_of_its_own_hides_the_builder() -> None:
    found = told("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")

    assert found["environ"] in ("No such file or directory", "readable")  # another process of that number
    assert "canary" not in found.values()


CREATE = "import os, sys; open(sys.argv[1], 'w').close(); print(os.getuid())"


def test_user_0_of_a_namespace_is_the_user_who_made_it(tmp_path: Path) -> None:
    made = tmp_path / "made"

    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-I", "-c", CREATE, str(made)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "0"
    assert made.stat().st_uid == os.geteuid()


NAMESPACE = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
done = libc.unshare(0x10000000)  # CLONE_NEWUSER
print("new" if done == 0 else os.strerror(ctypes.get_errno()))
"""


@pytest.mark.tools("bwrap")
def test_b7_a_sandbox_may_keep_processes_from_more_user_namespaces() -> None:
    def inside(*options: str) -> str:
        words = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--unshare-user", *options]
        done = subprocess.run(
            [*words, sys.executable, "-I", "-c", NAMESPACE], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert inside() == "new"
    assert inside("--disable-userns") != "new"


def test_every_experiment_of_this_file_is_the_evidence_of_a_step() -> None:
    assert {"C1", "C2", "B7a", "B7b"} <= {source for edge in edges() for source in edge.evidence}
