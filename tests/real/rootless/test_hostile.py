"""Dockerfiles that mean harm, machines that refuse, builds that are ended: nothing is left, nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from builder.errors import BuildError, StepFailedError
from builder.events import Event, OutputPrinted
from builder.namespace.confinement import Confinement
from builder.stores.layout import LayoutStore
from unionfs_sim.layers.layer import Symlink

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

HERE = Path(__file__).parent


def printed(builder: Any, dockerfile: str, files: dict[str, Any] | None = None, **more: Any) -> str:
    seen = bytearray()

    def listen(event: Event) -> None:
        if isinstance(event, OutputPrinted):
            seen.extend(event.data)

    builder.build(dockerfile, files, listener=listen, **more)
    return seen.decode()


def test_a_fork_bomb_ends_at_its_limit_and_with_its_command(builder: Any) -> None:
    bomb = "FROM base\nRUN bomb() { bomb | bomb & }; bomb 2>&1 | head -1; echo end of it\n"

    said = printed(builder, bomb, confinement=Confinement(limits={"NPROC": 60}), timeout_seconds=60)

    assert "unavailable" in said


def test_what_a_command_leaves_running_ends_with_it(builder: Any) -> None:
    began = time.monotonic()

    said = printed(builder, "FROM base\nRUN (trap '' TERM HUP; sleep 1000) & setsid sleep 1000 & echo bye\n")

    assert said == "bye\n"
    assert time.monotonic() - began < 60


def test_a_command_reaches_no_process_but_its_own(builder: Any) -> None:
    said = printed(builder, "FROM base\nRUN echo $PPID; kill -9 $PPID; ls /proc | grep '^[0-9]' | head -3\n")

    assert said.split()[0] == "0"
    assert "1" in said.split()


def test_endless_output_takes_no_memory_and_ends_with_its_time(builder: Any) -> None:
    with pytest.raises(StepFailedError, match="did not end within"):
        builder.build("FROM base\nRUN yes\n", timeout_seconds=0.5)


def test_its_own_mounts_cannot_be_written_and_are_in_no_layer(builder: Any) -> None:
    build = builder.build(
        "FROM base\n"
        "RUN (echo x > /etc/hosts; rm /etc/resolv.conf; umount /proc; mount -o remount,rw /etc/hosts); "
        "echo > /dev/null; echo x > /dev/mine; echo made > /etc/made\n"
    )

    tree = builder.tree(build)
    assert sorted(tree.listdir("/etc")) == ["group", "made", "passwd"]
    assert "dev" not in tree.listdir("/")


@pytest.mark.parametrize("target", ["e2", "/e2", "../e2", "e2/.."])
def test_a_root_whose_etc_is_a_symlink_still_works(builder: Any, target: str) -> None:
    files = {"/trap/etc": Symlink(target), "/trap/e2/motd": "m"}
    text = "FROM scratch\nCOPY --from=base /bin /bin\nCOPY trap/ /\nRUN cat /e2/motd && echo > /made\n"

    build = builder.build(text, files)

    assert sorted(builder.tree(build).listdir("/")) == ["bin", "e2", "etc", "made"]
    assert builder.tree(build).listdir("/e2") == ["motd"]


@pytest.mark.parametrize("name", ["dev", "proc"])
def test_a_symlink_where_a_mount_must_be_is_refused_and_nothing_goes_through_it(
    builder: Any, name: str
) -> None:
    with pytest.raises(BuildError, match=f"/{name} a symlink"):
        builder.build("FROM base\nCOPY trap/ /\nRUN true\n", {f"/trap/{name}": Symlink("/tmp")})


@pytest.mark.parametrize("no_new_privileges", [False, True])
def test_setuid_programs_work_as_in_buildkit_unless_one_says_no(
    builder: Any, *, no_new_privileges: bool
) -> None:
    confinement = Confinement(no_new_privileges=no_new_privileges)

    said = printed(
        builder, "FROM base\nUSER web\nRUN grep NoNewPrivs /proc/self/status\n", confinement=confinement
    )

    assert said.split() == ["NoNewPrivs:", str(int(no_new_privileges))]


def test_the_machines_files_and_names_are_out_of_reach(builder: Any, tmp_path: Path) -> None:
    said = printed(builder, "FROM base\nRUN cat /proc/mounts /proc/self/mountinfo; ls /proc/1/root/; env\n")

    assert str(tmp_path) not in said
    assert str(Path.home()) not in said.replace("HOME=/root", "")
    assert "PYTEST" not in said


def test_a_tree_deeper_than_a_path_can_be_is_removed(builder: Any) -> None:
    dig = "i=0; while [ $i -lt 3000 ]; do mkdir ddd && cd ddd || exit 3; i=$((i+1)); done; exit 9"

    with pytest.raises(StepFailedError):
        builder.build(f"FROM base\nRUN {dig}\n")

    assert not list(builder.state.glob("trees/*/sessions/*"))


def test_a_filler_of_disks_is_stopped_at_its_limit(builder: Any) -> None:
    with pytest.raises(StepFailedError, match="more than"):
        builder.build(
            "FROM base\nRUN dd if=/dev/zero of=/big bs=1M count=200; sleep 20\n",
            confinement=Confinement(upper_bytes=20 << 20),
        )
    with pytest.raises(StepFailedError, match="more than"):
        builder.build(
            "FROM base\nRUN dd of=/sparse bs=1 count=0 seek=100G\n",
            confinement=Confinement(upper_bytes=20 << 20),
        )


NAMESPACES = ("user", "mnt", "pid", "ipc", "uts")


@pytest.fixture
def layout(tmp_path: Path, add_image: Any) -> Path:
    """A base image as an OCI layout, and a context that builds on it."""
    with LayoutStore(str(tmp_path / "layout")) as store:
        add_image(store, "any:base")
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text("FROM base\nRUN echo hello\n")
    return tmp_path


def under_a_limit(place: Path, kind: str, *words: str) -> subprocess.CompletedProcess[str]:
    """layerlab as root of a user namespace that allows no namespace of this kind."""
    layerlab = [sys.executable, "-m", "course", "--state", str(place / "state"), *words]
    script = f'echo 0 > /proc/sys/user/max_{kind}_namespaces; exec "$@"'
    return subprocess.run(
        ["unshare", "-Ur", "sh", "-c", script, "sh", *layerlab],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("kind", NAMESPACES)
def test_a_kernel_that_refuses_a_namespace_is_a_sentence(layout: Path, kind: str) -> None:
    named = f"base=oci-layout://{layout}/layout:base"
    words = ("build", "--build-context", named, str(layout / "context"), "--strategy")

    done = under_a_limit(layout, kind, *words, "rootless")
    automatic = under_a_limit(layout, kind, *words, "auto")

    assert done.returncode == 1
    assert "layerlab doctor" in done.stderr
    assert "Traceback" not in done.stderr + automatic.stderr
    assert "strategy: simulated" in automatic.stderr
    assert "not rootless:" in automatic.stderr


@pytest.mark.kernel
def test_where_parts_of_proc_are_covered_the_machines_own_is_shown(layout: Path) -> None:
    (layout / "context/Dockerfile").write_text(
        "FROM base\nRUN test -d /proc/self && cat /proc/keys && echo $$\n"
    )
    named = f"base=oci-layout://{layout}/layout:base"
    words = [sys.executable, "-m", "course", "--state", str(layout / "state")]
    building = ["build", "--strategy", "auto", "--build-context", named, str(layout / "context")]
    script = 'mount -t tmpfs t /proc/acpi; "$@"'

    done = subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *words, *building],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert "strategy: rootless" in done.stderr
    assert "| 1\n" in done.stderr


@pytest.mark.parametrize("way", ["rootless", "in one root"])
def test_builds_that_are_ended_at_random_points_leave_nothing(layout: Path, way: str) -> None:
    script = [sys.executable, str(HERE / "kill_builds.py"), "--times", "8", "--seed", str(os.getpid())]
    script += [] if way == "rootless" else ["--root", str(layout / "root")]
    done = subprocess.run(
        [*script, "--base", str(layout / "layout"), str(layout / "killed")],
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )

    assert done.returncode == 0, done.stdout + done.stderr
