"""Kaniko-style builds for real: one root, emptied and filled, scanned from outside; what RUN can do."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from builder.engine.order import Layering
from builder.errors import BuildError, StepFailedError
from builder.events import ChangesFound, Event, OutputPrinted
from builder.namespace.container import MARKER
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import Dir, File, Symlink

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

FILES = {
    "/app/run": File("#!/bin/sh\necho run\n", mode=0o755),
    "/app/link": Symlink("run"),
    "/app/private": Dir(mode=0o700),
    "/app/private/key": File("k", mode=0o600),
    "/motd": "hello\n",
}
MULTI_STAGE = """
FROM base AS one
WORKDIR /src
COPY app .
COPY motd /etc/motd
RUN mkdir -p out/deep && tr a-z A-Z < /etc/motd > out/loud && chown web:web out/loud && ln -s loud out/l
RUN rm -r /etc/motd /src/private && ln out/loud out/same && chmod 711 out
FROM base AS two
RUN echo two > /two && mkdir /d && echo x > /d/x
RUN rm -r /d && mkdir /d && echo y > /d/y
FROM base
COPY --from=one /src/out /out
COPY --from=two /two /d /from/
RUN ["/bin/rm", "-r", "/etc/group"]
"""

SPOILING = """
FROM base
RUN cat /proc/1/environ /proc/1/maps /proc/1/mem 2> /dev/null | head -c 9; \\
    ls /proc/1/fd 2> /dev/null; kill -9 1; rm -rf /kaniko 2> /dev/null; mv /kaniko /k2 2> /dev/null; \\
    umount /kaniko 2> /dev/null; mount -t tmpfs t /etc 2> /dev/null; \\
    mknod /sda b 8 0 2> /dev/null; cat /sda 2> /dev/null; true
RUN echo still > /here
"""


class OneRoot:
    """Builds Kaniko-style in a root of their own."""

    def __init__(self, builder: Any, root: Path) -> None:
        self.builder = builder
        self.root = root
        self.events: list[Event] = []

    def build(self, dockerfile: str, files: dict[str, Any] | None = None, **more: Any) -> Any:
        more = {"strategy": Strategy.KANIKO_STYLE, "root": self.root, "listener": self.events.append, **more}
        return self.builder.build(dockerfile, files, **more)

    @property
    def printed(self) -> str:
        return b"".join(each.data for each in self.events if isinstance(each, OutputPrinted)).decode()

    def left(self) -> list[str]:
        """What is in the root besides the builder's own places."""
        own = self.root / "kaniko"
        return sorted(
            [name for name in os.listdir(self.root) if name != "kaniko"] + os.listdir(own / "shown")
        )


@pytest.fixture
def one_root(builder: Any, tmp_path: Path) -> OneRoot:
    return OneRoot(builder, tmp_path / "root")


def test_the_image_is_the_one_that_a_rootless_build_makes_and_the_root_is_empty_again(
    one_root: OneRoot, new_builder: Any, tmp_path: Path
) -> None:
    scanned = one_root.build(MULTI_STAGE, FILES)

    other = new_builder(tmp_path / "other")
    stacked = other.build(MULTI_STAGE, FILES)
    assert one_root.builder.tree(scanned) == other.tree(stacked)
    assert one_root.left() == []


def test_looking_costs_the_whole_root_before_and_after_each_run(one_root: OneRoot) -> None:
    one_root.build("FROM base\nCOPY motd /motd\nRUN true\nRUN echo x > /x\n", FILES)

    looks = [event for event in one_root.events if isinstance(event, ChangesFound)]
    assert len(looks) == 3
    assert looks[2].entries_scanned == looks[0].entries_scanned + 1
    assert looks[0].bytes_hashed > 1_000_000


def test_a_run_sees_what_the_builders_container_has(one_root: OneRoot) -> None:
    one_root.build(
        "FROM base AS one\nRUN echo kept > /kept\nFROM base\n"
        "RUN cat /kaniko/.docker/config.json; cat /proc/1/cmdline; hostname; ls -d /kaniko/0\n"
        "COPY --from=one /kept /kept\n",
        credentials=b'{"auths": {"r.test": {}}}',
    )

    assert one_root.printed.replace("\0", "").split("\n") == [
        '{"auths": {"r.test": {}}}/kaniko/executorkaniko',
        "/kaniko/0",
        "",
    ]


def test_it_may_spoil_the_builders_files_but_not_the_builder(one_root: OneRoot, tmp_path: Path) -> None:
    one_root.build(SPOILING)

    assert one_root.printed == ""
    assert (one_root.root / "kaniko" / MARKER).exists()
    assert one_root.left() == []


def test_what_a_command_leaves_running_ends_with_it(one_root: OneRoot) -> None:
    leaving = "(trap '' TERM HUP; setsid sh -c 'sleep 1; echo late > /late') & true"

    build = one_root.build(f"FROM base\nRUN {leaving}\nRUN sleep 1.5; ps\n")

    assert "late" not in one_root.builder.tree(build).listdir("/")
    assert "late" not in one_root.printed


def test_links_of_a_hostile_command_lead_nowhere_outside(one_root: OneRoot, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o777)
    outside.chmod(0o777)
    (outside / "canary").write_text("whole")
    before = sorted((each.name, each.stat().st_mtime_ns) for each in outside.iterdir())

    build = one_root.build(
        f"""
        FROM base AS one
        RUN mv /etc /e2; ln -s {outside} /etc; ln -s /../../../..{outside} /up; echo x > /x
        COPY motd /etc/motd
        WORKDIR /up/deep
        RUN echo y > /y
        FROM base
        COPY --from=one /etc /taken
        COPY --from=one /y /y
        RUN true
        """,
        FILES,
    )

    assert sorted((each.name, each.stat().st_mtime_ns) for each in outside.iterdir()) == before
    assert one_root.builder.tree(build).listdir("/taken") == ["deep", "motd"]
    assert one_root.left() == []


def test_a_tree_deeper_than_a_path_can_be_is_an_error_and_is_removed(one_root: OneRoot) -> None:
    nested = f"{'d' * 200}/" * 5
    dig = f"mkdir c0 && for i in 1 2 3 4 5; do mkdir -p c$i/{nested} && mv c$((i-1)) c$i/{nested}; done"

    with pytest.raises(BuildError, match="more than 4095 bytes"):
        one_root.build(f"FROM base\nRUN {dig}\n")

    assert one_root.left() == []


def test_a_step_that_fails_leaves_an_empty_root_and_the_next_build_works(one_root: OneRoot) -> None:
    with pytest.raises(StepFailedError, match="exit status 3"):
        one_root.build("FROM base\nRUN echo x > /x; exit 3\n")

    assert one_root.left() == []
    build = one_root.build("FROM base\nRUN ls / > /seen\n")
    assert b"x\n" not in one_root.builder.tree(build).read_bytes("/seen")


def test_what_a_killed_build_left_in_the_root_is_not_seen_by_the_next(one_root: OneRoot) -> None:
    one_root.build("FROM base\nRUN true\n")
    (one_root.root / "left").mkdir()
    (one_root.root / "left" / "over").write_text("x")
    owner = (one_root.root / "kaniko").stat()
    os.chown(one_root.root / "left", owner.st_uid, owner.st_gid)

    build = one_root.build("FROM base\nRUN ls / > /seen && echo again\n")

    assert b"left" not in one_root.builder.tree(build).read_bytes("/seen")


def test_a_cache_outlives_the_build_and_a_secret_nothing(one_root: OneRoot) -> None:
    mounts = "--mount=type=cache,target=/var/c --mount=type=secret,id=k --mount=type=bind,target=/ctx,rw"
    for number in (1, 2):
        act = f"cat /run/secrets/k; echo {number} >> /var/c/n; cat /var/c/n; echo > /ctx/motd"
        one_root.build(f"FROM base\nRUN {mounts} {act}\n", FILES, secrets={"k": b"s3cret "})

    assert one_root.printed == "s3cret 1\ns3cret 1\n2\n"
    assert (
        "s3cret"
        not in subprocess.run(
            ["grep", "-r", "s3cret", str(one_root.root)], capture_output=True, text=True, check=False
        ).stdout
    )


@pytest.mark.parametrize(("mode", "noticed"), [(Mode.FULL, True), (Mode.REDO, True), (Mode.TIME, False)])
def test_the_mode_says_what_is_noticed(one_root: OneRoot, mode: Mode, noticed: bool) -> None:
    build = one_root.build("FROM base\nRUN echo > /f\nRUN chmod 600 /f\n", mode=mode)

    assert len(build.result.image.layers) == (3 if noticed else 2)


def test_a_single_snapshot_is_one_look_and_one_layer_with_the_same_files(
    one_root: OneRoot, new_builder: Any, tmp_path: Path
) -> None:
    single = one_root.build(MULTI_STAGE, FILES, layering=Layering.STAGES)

    other = new_builder(tmp_path / "other")
    stacked = other.build(MULTI_STAGE, FILES, layering=Layering.STAGES)
    stepped = new_builder(tmp_path / "third")
    assert [len(stage.image.layers) for stage in single.result.stages] == [2, 2, 2]
    assert (
        one_root.builder.tree(single)
        == other.tree(stacked)
        == stepped.tree(stepped.build(MULTI_STAGE, FILES))
    )
    assert len([event for event in one_root.events if isinstance(event, ChangesFound)]) == 2 * 3


def test_a_path_that_is_ignored_is_in_no_layer(one_root: OneRoot) -> None:
    build = one_root.build(
        "FROM base\nRUN mkdir -p /var/run /skip && echo > /var/run/pid && echo > /skip/me && echo > /f\n",
        ignored=("/skip",),
    )

    assert sorted(one_root.builder.tree(build).listdir("/")) == ["bin", "etc", "f", "var"]
    assert one_root.builder.tree(build).listdir("/var") == []


# ---- whose the directory is ----


def test_a_directory_that_is_not_ours_is_refused_and_whole(one_root: OneRoot) -> None:
    one_root.root.mkdir()
    (one_root.root / "precious").write_text("p")

    with pytest.raises(BuildError, match="not empty, and not a root of layerlab"):
        one_root.build("FROM base\nRUN true\n")

    assert os.listdir(one_root.root) == ["precious"]


def test_a_marker_that_is_a_link_is_none(one_root: OneRoot, tmp_path: Path) -> None:
    one_root.build("FROM base\nRUN true\n")
    other = tmp_path / "other"
    (other / "kaniko").mkdir(parents=True)
    (other / "precious").write_text("p")
    (other / "kaniko" / MARKER).symlink_to(one_root.root / "kaniko" / MARKER)
    one_root.root = other

    with pytest.raises(BuildError, match="not a root of layerlab"):
        one_root.build("FROM base\nRUN echo other\n")

    assert (other / "precious").read_text() == "p"


@pytest.mark.kernel
def test_a_directory_in_which_something_is_mounted_is_refused_and_whole(one_root: OneRoot) -> None:
    one_root.build("FROM base\nRUN true\n")
    point = one_root.root / "data"
    point.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "t", str(point)], check=True)
    try:
        (point / "canary").write_text("whole")
        with pytest.raises(BuildError, match="something is mounted in it"):
            one_root.build("FROM base\nRUN echo other\n")
        assert (point / "canary").read_text() == "whole"
    finally:
        subprocess.run(["umount", str(point)], check=True)


def test_a_root_serves_one_build_at_a_time(one_root: OneRoot) -> None:
    one_root.build("FROM base\nRUN true\n")

    with open(one_root.root / "kaniko" / MARKER, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BuildError, match="another build is using it"):
            one_root.build("FROM base\nRUN echo other\n")


def test_what_the_builder_keeps_in_the_root_cannot_be_copied_over(one_root: OneRoot) -> None:
    with pytest.raises(BuildError, match="builder keeps its own files"):
        one_root.build(f"FROM base\nRUN ln -s /kaniko /k\nCOPY motd /k/{MARKER}\n", FILES)
