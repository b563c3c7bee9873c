"""What decides whether a step is known."""

from __future__ import annotations

import threading

import pytest

from builder.engine.order import CacheUse
from builder.image.digest import Digest
from unionfs_sim.layers.layer import File, layer

COPY = "FROM base\nCOPY src /src\nRUN make\n"


def test_the_same_input_gives_the_same_bytes_and_is_known_the_second_time(kitchen):
    files = layer({"/src/a": "a"})
    first = kitchen.build(COPY, files=files)

    second = kitchen.build(COPY, files=files)

    assert first.manifest == second.manifest
    assert kitchen.cached() == [True, True]
    assert kitchen.snapshotter.unpacked == 0


def test_a_build_without_cache_gives_the_same_bytes(kitchen):
    files = layer({"/src/a": "a"})
    first = kitchen.build(COPY, files=files)

    second = kitchen.build(COPY, files=files, cache=CacheUse.IGNORE)

    assert first.manifest == second.manifest
    assert kitchen.cached() == [False, False]


def test_a_modification_time_does_not_matter(kitchen):
    kitchen.build(COPY, files=layer({"/src/a": File("a", mtime_ns=1)}))
    kitchen.build(COPY, files=layer({"/src/a": File("a", mtime_ns=2)}))

    assert kitchen.cached() == [True, True]


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"/src/a": "b"}, "file /src/a changed"),
        ({"/src/a": File("a", mode=0o755)}, "file /src/a changed"),
        ({"/src/a": "a", "/src/b": ""}, "file /src/b is new"),
        ({"/src/A": "a"}, "file /src/A is new"),
        ({"/src": "a"}, "source 1 changed"),
    ],
)
def test_what_copy_takes_over_matters_and_the_first_change_is_named(kitchen, changed, why):
    kitchen.build(COPY, files=layer({"/src/a": "a"}))
    kitchen.build(COPY, files=layer(changed))

    assert kitchen.cached() == [False, False]
    assert kitchen.reasons() == [why, "the layers below changed"]


def test_files_that_no_instruction_reads_do_not_matter(kitchen):
    kitchen.build(COPY, files=layer({"/src/a": "a", "/README": "1"}))
    kitchen.build(COPY, files=layer({"/src/a": "a", "/README": "2"}))

    assert kitchen.cached() == [True, True]


def test_an_ignored_file_does_not_matter(kitchen):
    kitchen.build(COPY, files=layer({"/src/a": "a", "/src/x.log": "1"}), ignore="**/*.log\n")
    kitchen.build(COPY, files=layer({"/src/a": "a", "/src/x.log": "2"}), ignore="**/*.log\n")

    assert kitchen.cached() == [True, True]


def test_an_argument_that_a_run_can_see_matters_and_one_that_it_cannot_does_not(kitchen):
    dockerfile = "FROM base\nRUN before\nARG V=1\nRUN after $V\nCOPY f /f\nFROM base\nARG V\nCOPY f /f\n"
    files = layer({"/f": "f"})
    kitchen.build(dockerfile, files=files, target="0")
    kitchen.build(dockerfile, files=files, target="0", build_args={"V": "2", "UNKNOWN": "3"})

    # The command made an equal layer, so the copy on top of it is known.
    assert kitchen.cached() == [True, False, True]
    assert kitchen.reasons() == ["variable V changed"]

    kitchen.build(dockerfile, files=files)
    kitchen.build(dockerfile, files=files, build_args={"V": "2"})
    assert kitchen.cached() == [True]


def test_a_changed_command_is_named(kitchen):
    kitchen.build("FROM base\nRUN one\n")
    kitchen.build("FROM base\nRUN two\n")

    assert kitchen.reasons() == ["the command changed"]


def test_a_copy_from_a_stage_is_known_as_long_as_the_files_are_equal(kitchen):
    dockerfile = "FROM base AS b\nRUN make {}\nFROM base\nCOPY --from=b /out /out\n"

    def make(root, command, output):
        root.write_bytes("/out", b"same")
        root.write_bytes("/log", command.argv[-1].encode())

    kitchen.runner.acts["make 1"] = kitchen.runner.acts["make 2"] = make
    kitchen.build(dockerfile.format(1))
    kitchen.build(dockerfile.format(2))

    assert kitchen.cached() == [False, True]


def test_a_step_whose_layer_is_gone_is_done_again(kitchen):
    first = kitchen.build("FROM base\nRUN make\n")
    del kitchen.store._blobs[Digest(first.image.layers[-1].diff_id)]

    second = kitchen.build("FROM base\nRUN make\n")

    assert kitchen.reasons() == ["its layer is no longer in the store, or damaged"]
    assert first.manifest == second.manifest


def test_a_step_that_changed_nothing_is_known_too(kitchen):
    kitchen.runner.acts["true"] = lambda root, command, output: 0
    first = kitchen.build("FROM base\nRUN true\n")
    kitchen.build("FROM base\nRUN true\n")

    assert kitchen.cached() == [True]
    assert first.image.history[-1].empty_layer is True


def test_two_stages_that_do_the_same_give_the_same_image_however_the_threads_run(kitchen):
    dockerfile = (
        "FROM base AS a\nRUN x\nFROM base AS b\nRUN x\nFROM base\n"
        "COPY --from=a /ran /a\nCOPY --from=b /ran /b\n"
    )
    manifests = set()
    for _ in range(5):
        manifests.add(
            kitchen.build(dockerfile, cache=CacheUse.IGNORE, stop=threading.Event()).manifest.digest
        )

    assert len(manifests) == 1


def test_a_copy_from_a_stage_is_done_again_if_content_or_owner_changed(kitchen):
    dockerfile = "FROM base AS b\nRUN make {}\nFROM base\nCOPY --from=b {} /out /out\n"

    def make(root, command, output):
        kind = command.argv[-1].split()[1]
        root.write_bytes("/out", b"other" if kind == "content" else b"same")
        root.chown("/out", 5 if kind == "owner" else 4, 4)

    kitchen.runner.acts |= {f"make {kind}": make for kind in ("first", "content", "owner")}
    kitchen.build(dockerfile.format("first", ""))

    for kind in ("content", "owner"):
        kitchen.build(dockerfile.format(kind, ""))
        assert kitchen.reasons()[-1] == "what stage 'b' has at /out changed"

    kitchen.build(dockerfile.format("first", "--chown=1"))
    kitchen.build(dockerfile.format("owner", "--chown=1"))
    assert kitchen.cached() == [True, True]


def test_where_the_kept_directories_begin_matters(kitchen):
    files = layer({"/a/b/f": "f"})
    kitchen.build("FROM base\nCOPY --parents a/b/f /x/\n", files=files)
    kitchen.build("FROM base\nCOPY --parents a/./b/f /x/\n", files=files)

    assert kitchen.cached() == [False]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("USER web", "the user changed"),
        ("WORKDIR /etc", "the working directory changed"),
        ("ENV A=b", "variable A is new"),
        ('SHELL ["/bin/ash", "-c"]', "the command changed"),
    ],
)
def test_the_configuration_that_a_run_sees_matters(kitchen, line: str, why: str):
    kitchen.build("FROM base\nLABEL a=b\nRUN make\n")
    kitchen.build(f"FROM base\n{line}\nRUN make\n")

    assert kitchen.reasons()[-1] == why


@pytest.mark.parametrize(
    ("changed", "why"), [(7, "file /src/0007 changed"), (2345, "one of many files changed")]
)
def test_a_change_of_one_file_among_thousands_is_noticed(kitchen, changed, why):
    files = {f"/src/{number:04}": "a" for number in range(2400)}
    kitchen.build(COPY, files=layer(files))
    kitchen.build(COPY, files=layer(files))
    assert kitchen.cached() == [True, True]

    kitchen.build(COPY, files=layer(files | {f"/src/{changed:04}": "b"}))

    assert kitchen.cached() == [False, False]
    assert kitchen.reasons() == [why, "the layers below changed"]
