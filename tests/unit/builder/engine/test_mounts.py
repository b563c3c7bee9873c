"""RUN --mount: what a command is given, and what of it decides the step's result."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from builder.dockerfile.syntax.mount import Sharing
from builder.errors import StepFailedError
from builder.protocols import Bind, Cache, Secret, Tmpfs
from unionfs_sim.layers.layer import Dir, layer


def mounts_of(kitchen, line, **options):
    kitchen.build(f"FROM base\nRUN {line} use\n", **options)
    return kitchen.runner.commands[-1].mounts


def test_a_cache_is_named_by_its_id_or_else_by_its_target(kitchen):
    line = (
        "--mount=type=cache,target=c --mount=type=cache,id=x,target=/x,sharing=locked,mode=0700,uid=1,gid=2"
    )

    plain, named = mounts_of(kitchen, line)

    assert plain == Cache(target=PurePosixPath("/work/c"), id="/work/c")
    assert named == Cache(
        target=PurePosixPath("/x"), id="x", sharing=Sharing.LOCKED, mode=0o700, uid=1, gid=2
    )


def test_a_cache_begins_with_the_files_that_from_names(kitchen):
    kitchen.build(
        "FROM base AS a\nCOPY src /src\nFROM base\nRUN --mount=type=cache,target=/c,from=a,source=/src use\n",
        files=layer({"/src/f": "f"}),
    )

    (cache,) = kitchen.runner.commands[-1].mounts
    snapshot, path = cache.initial
    assert kitchen.snapshotter.view(snapshot).listdir(str(path)) == ["f"]


def test_a_tmpfs_has_its_size(kitchen):
    assert mounts_of(kitchen, "--mount=type=tmpfs,target=/t,size=1k") == (
        Tmpfs(target=PurePosixPath("/t"), size_bytes=1024),
    )


def test_a_bind_of_the_context_is_a_snapshot_of_what_is_not_ignored(kitchen):
    files = layer({"/src": Dir(mode=0o750), "/src/f": "f", "/src/secret": "s"})

    (bind,) = mounts_of(
        kitchen, "--mount=type=bind,source=src,target=/src,rw", files=files, ignore="src/secret\n"
    )

    assert isinstance(bind, Bind)
    assert bind.read_only is False
    view = kitchen.snapshotter.view(bind.snapshot)
    assert view.listdir(str(bind.path)) == ["f"]
    assert view.read_bytes(f"{bind.path}/f") == b"f"
    assert view.lstat(str(bind.path)).st_mode & 0o777 == 0o750


def test_a_bind_of_one_file_of_the_context_is_that_file(kitchen):
    (bind,) = mounts_of(kitchen, "--mount=type=bind,source=src/f,target=/f", files=layer({"/src/f": "f"}))

    assert kitchen.snapshotter.view(bind.snapshot).read_bytes(str(bind.path)) == b"f"


def test_a_bind_of_a_stage_is_its_state_and_follows_its_symlinks(kitchen):
    kitchen.runner.acts["link"] = lambda root, command, output: root.symlink("etc", "/l")
    kitchen.build("FROM base AS a\nRUN link\nFROM base\nRUN --mount=from=a,source=/l,target=/m use\n")

    (bind,) = kitchen.runner.commands[-1].mounts
    assert bind.path == PurePosixPath("/etc")
    assert sorted(kitchen.snapshotter.view(bind.snapshot).listdir("/etc")) == ["group", "passwd"]


def test_a_bind_mount_of_the_context_is_an_input_of_the_step(kitchen):
    dockerfile = "FROM base\nRUN --mount=type=bind,source=src,target=/src use\n"
    kitchen.build(dockerfile, files=layer({"/src/f": "1", "/other": "1"}))
    kitchen.build(dockerfile, files=layer({"/src/f": "1", "/other": "2"}))
    assert kitchen.cached() == [True]

    kitchen.build(dockerfile, files=layer({"/src/f": "2", "/other": "2"}))
    assert kitchen.reasons() == ["file /src/f changed"]


def test_a_secret_is_a_file_and_a_required_one_must_be_given(kitchen):
    line = "--mount=type=secret,id=k,required=true"

    assert mounts_of(kitchen, line, secrets={"k": b"one"}) == (
        Secret(target=PurePosixPath("/run/secrets/k"), content=b"one"),
    )
    with pytest.raises(StepFailedError, match="no secret 'k'"):
        mounts_of(kitchen, f"{line} --mount=type=tmpfs,target=/t")


def test_a_secret_is_no_input_of_the_step_and_in_no_record(kitchen):
    dockerfile = "FROM base\nRUN --mount=type=secret,id=k,env=KEY use\n"
    kitchen.build(dockerfile, secrets={"k": b"one"})
    assert kitchen.runner.commands[-1].env["KEY"] == "one"

    kitchen.build(dockerfile, secrets={"k": b"two"})

    assert kitchen.cached() == [True]
    assert "one" not in repr(kitchen.store._records)


def test_a_heredoc_that_is_a_program_is_bound_for_its_command_alone(kitchen):
    kitchen.build("FROM base\nRUN <<EOF\n#!/usr/bin/env python3\nprint(1)\nEOF\n")

    (command,) = kitchen.runner.commands
    (bind,) = command.mounts
    assert command.argv == (str(bind.target),)
    view = kitchen.snapshotter.view(bind.snapshot)
    assert view.read_bytes(str(bind.path)) == b"#!/usr/bin/env python3\nprint(1)\n"
    assert view.lstat(str(bind.path)).st_mode & 0o777 == 0o755
