"""Cache mounts and writable bind mounts: what stays, what is forgotten, who waits for whom."""

from __future__ import annotations

import threading

from builder.stores.cachemounts import CacheMounts
from unionfs_sim.layers.layer import layer


def test_a_cache_mount_outlives_the_build(kitchen):
    def act(root, command, output):
        (mount,) = command.mounts
        before = mount.source.listdir("/")
        mount.source.write_bytes(f"/{len(before)}", b"x")

    kitchen.runner.acts["use"] = act
    for _ in range(2):
        mounts = CacheMounts(kitchen.store)
        kitchen.build(
            "FROM base\nRUN --mount=type=cache,id=c,target=/c use\nRUN again\n", cache_mount=mounts.tree
        )
        mounts.save()
        kitchen.store._records = {
            key: record for key, record in kitchen.store._records.items() if key.startswith("cache-mount:")
        }

    assert sorted(CacheMounts(kitchen.store).tree("c").listdir("/")) == ["0", "1"]


def test_two_steps_never_have_one_cache_mount_at_the_same_time(kitchen):
    inside = threading.Lock()
    overlaps = []

    def act(root, command, output):
        overlaps.append(not inside.acquire(blocking=False))
        threading.Event().wait(0.02)
        inside.release()

    kitchen.runner.acts["use"] = act
    step = "RUN --mount=type=cache,id=a,target=/a --mount=type=cache,id=b,target=/b use\n"
    other = "RUN --mount=type=cache,id=b,target=/b --mount=type=cache,id=a,target=/a use\n"
    kitchen.build(
        f"FROM base AS x\n{step}FROM base AS y\n{other}FROM base\nCOPY --from=x / /x\nCOPY --from=y / /y\n"
    )

    assert overlaps == [False, False]


def test_what_is_written_to_a_bind_mount_is_forgotten(kitchen):
    files = layer({"/src/f": "f"})

    def act(root, command, output):
        (mount,) = command.mounts
        assert mount.read_only is False
        assert mount.source.read_bytes(f"{mount.source_path}/f") == b"f"
        mount.source.write_bytes(f"{mount.source_path}/f", b"changed")

    kitchen.runner.acts["use"] = act
    kitchen.build("FROM base\nRUN --mount=type=bind,source=src,target=/src,rw use\n", files=files)

    assert files.read_bytes("/src/f") == b"f"
    assert kitchen.snapshotter._uppers == {}


def test_a_bind_mount_of_the_context_is_an_input_of_the_step(kitchen):
    dockerfile = "FROM base\nRUN --mount=type=bind,source=src,target=/src use\n"
    kitchen.build(dockerfile, files=layer({"/src/f": "1", "/other": "1"}))
    kitchen.build(dockerfile, files=layer({"/src/f": "1", "/other": "2"}))
    assert kitchen.cached() == [True]

    kitchen.build(dockerfile, files=layer({"/src/f": "2", "/other": "2"}))
    assert kitchen.reasons() == ["file /src/f changed"]


def test_a_secret_is_no_input_of_the_step_and_in_no_record(kitchen):
    dockerfile = "FROM base\nRUN --mount=type=secret,id=k,env=KEY use\n"
    kitchen.build(dockerfile, secrets={"k": b"one"})
    assert kitchen.runner.commands[-1].env["KEY"] == "one"

    kitchen.build(dockerfile, secrets={"k": b"two"})

    assert kitchen.cached() == [True]
    assert "one" not in repr(kitchen.store._records)
