"""What a rootless builder needs to map users: experiments C2e, C2f, C2h and C2i, tried again here.

A builder as an ordinary user makes a user namespace, and newuidmap(1) writes its map. The kernel asks the
writer for CAP_SETUID outside and for CAP_SYS_ADMIN inside, which the owner has (user_namespaces(7)).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from confined import DEFAULT

from builder.security.tables import edges, sources

pytestmark = [pytest.mark.kernel, pytest.mark.tools("unshare", "setpriv", "newuidmap", "setcap")]

BUILDER = """
import ctypes, os, subprocess, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    made = ctypes.CDLL(None, use_errno=True).unshare(0x10000000)  # CLONE_NEWUSER
    os.write(ready[1], bytes([made != 0]))
    os.read(go[0], 1)
    os._exit(0)
assert os.read(ready[0], 1) == b"\\0", "no user namespace"
try:
    ask = [sys.argv[1], str(child), "0", "1000", "1", "1", "100000", "65536"]
    done = subprocess.run(ask, capture_output=True)
    written = open(f"/proc/{child}/uid_map").read().split()
    print(written if done.returncode == 0 else done.stderr.decode().strip())
except OSError as error:
    print(error.strerror)
os.write(go[1], b"1")
"""


@pytest.fixture
def image() -> Iterator[Path]:
    """What the builder's image has: a user 1000 with subordinate ids, and newuidmap with its privileges."""
    with tempfile.TemporaryDirectory(prefix="image") as name:
        top = Path(name)
        top.chmod(0o755)  # user 1000 looks for its programs there
        (top / "passwd").write_text("root:x:0:0::/:/bin/sh\nbuild:x:1000:1000::/:/bin/sh\n")
        (top / "subuid").write_text("build:100000:65536\n")
        program = shutil.which("newuidmap")
        assert program is not None
        shutil.copy(program, top / "setuid")
        (top / "setuid").chmod(0o4755)
        shutil.copy(program, top / "filecaps")
        (top / "filecaps").chmod(0o755)
        subprocess.run(["setcap", "cap_setuid=ep", top / "filecaps"], check=True)
        yield top


def mapped(image: Path, program: str, held: tuple[str, ...] = DEFAULT, *options: str) -> str:
    """What the builder tells of its map; it is user 1000, and ``held`` is the container's bounding set."""
    bound = f"mount --bind {image}/passwd /etc/passwd && mount --bind {image}/subuid /etc/subuid"
    bounding = ",".join(["-all", *(f"+{name}" for name in held)])
    confined = [
        f"--bounding-set={bounding}",
        "--inh-caps=-all",
        "--reuid=1000",
        "--regid=1000",
        "--clear-groups",
    ]
    command = ["setpriv", *confined, *options, sys.executable, "-I", "-c", BUILDER, str(image / program)]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{bound} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() or done.stderr.strip()


MAP = str(["0", "1000", "1", "1", "100000", "65536"])


def test_c2e_a_setuid_newuidmap_is_not_the_owner_of_the_namespace(image: Path) -> None:
    assert "Operation not permitted" in mapped(image, "setuid")
    assert mapped(image, "setuid", (*DEFAULT, "sys_admin")) == MAP


def test_c2f_with_file_capabilities_it_stays_the_owner(image: Path) -> None:
    assert mapped(image, "filecaps") == MAP


def test_c2h_no_new_privileges_takes_both_away(image: Path) -> None:
    assert "Operation not permitted" in mapped(image, "filecaps", DEFAULT, "--no-new-privs")
    assert mapped(image, "setuid", DEFAULT, "--no-new-privs") != MAP


def test_c2i_setuid_and_setgid_are_enough(image: Path) -> None:
    assert mapped(image, "filecaps", ("setuid", "setgid")) == MAP
    assert mapped(image, "filecaps", ("setgid",)) != MAP


def test_every_experiment_of_this_file_is_a_source() -> None:
    assert {"C2e", "C2f", "C2h", "C2i"} <= sources().keys()
    assert any("C2f" in edge.evidence for edge in edges())
