"""The engine: what each instruction does to the image, and what a failure leaves behind."""

from __future__ import annotations

import errno
import hashlib
import io
import tarfile
import threading

import pytest

from builder.engine.order import Download
from builder.errors import BuildError, ContextError, NotSupportedError, StepFailedError, UnknownImageError
from builder.events import WorkspaceDiscarded
from builder.protocols import Execution, Network
from unionfs_sim.layers.layer import Dir, File, Symlink, layer


def history(result) -> list[str]:
    return [entry.created_by for entry in result.image.history]


def test_configuration_is_what_docker_makes_of_it(kitchen):
    result = kitchen.build(
        """FROM base
ENV A=1 B="two words"
LABEL who=me by=$A
EXPOSE 80 53/udp
VOLUME /data
USER web
STOPSIGNAL SIGQUIT
SHELL ["/bin/ash", "-ec"]
ENTRYPOINT top -b
CMD ["-c", "daemon off;"]
HEALTHCHECK --interval=90s --retries=3 CMD true
ONBUILD RUN make
MAINTAINER someone
"""
    )

    config = result.image.config
    assert dict(config.env) == {"PATH": "/bin", "A": "1", "B": "two words"}
    assert config.entrypoint == ("/bin/ash", "-ec", "top -b")
    assert config.cmd == ("-c", "daemon off;")
    assert config.exposed_ports == ("53/udp", "80/tcp")
    assert (config.user, config.stop_signal, config.shell) == ("web", "SIGQUIT", ("/bin/ash", "-ec"))
    assert config.healthcheck is not None
    assert config.healthcheck.test == ("CMD-SHELL", "true")
    assert config.on_build == ("RUN make",)
    assert result.image.author == "someone"
    assert history(result)[1:] == [
        "ENV A=1 B=two words",
        "LABEL who=me by=1",
        "EXPOSE map[53/udp:{} 80/tcp:{}]",
        "VOLUME [/data]",
        "USER web",
        "STOPSIGNAL SIGQUIT",
        "SHELL [/bin/ash -ec]",
        'ENTRYPOINT ["/bin/ash" "-ec" "top -b"]',
        'CMD ["-c" "daemon off;"]',
        """HEALTHCHECK &{["CMD-SHELL" "true"] "1m30s" "0s" "0s" "0s" '\\x03'}""",
        "MAINTAINER someone",
    ]
    assert all(entry.empty_layer for entry in result.image.history[1:])


def test_an_entrypoint_takes_away_an_inherited_cmd_and_not_one_of_its_own_stage(kitchen):
    assert kitchen.build('FROM base\nENTRYPOINT ["a"]\n').image.config.cmd is None
    assert kitchen.build('FROM base\nCMD ["b"]\nENTRYPOINT ["a"]\n').image.config.cmd == ("b",)


def test_from_scratch_begins_with_an_empty_tree_and_a_path(kitchen):
    result = kitchen.build("FROM scratch\nCOPY f /\n", files=layer({"/f": "f"}))

    assert kitchen.tree(result.image) == layer({"/f": "f"})
    assert "PATH" in result.image.config.env


def test_run_sees_the_environment_directory_and_user_of_the_stage(kitchen):
    kitchen.build('FROM base\nARG V=7\nENV E=$V\nWORKDIR sub\nUSER web\nRUN ["prog", "x"]\nRUN line $V\n')

    first, second = kitchen.runner.commands
    assert first.argv == ("prog", "x")
    assert (first.cwd, first.user) == ("/work/sub", "web")
    assert dict(first.env) == {"PATH": "/bin", "V": "7", "E": "7"}
    assert second.argv == ("/bin/sh", "-c", "line $V")


def test_a_run_is_in_the_history_as_docker_writes_it(kitchen):
    result = kitchen.build("FROM base\nARG V=7\nARG UNSET\nRUN line\n")

    assert history(result)[1:] == ["ARG V=7", "ARG UNSET", "RUN |2 V=7 UNSET= /bin/sh -c line # buildkit"]


def test_heredocs_of_run_go_to_the_shell_and_a_script_with_an_interpreter_is_a_file(kitchen):
    kitchen.build(
        "FROM base\nRUN <<EOF\none\ntwo\nEOF\nRUN cat <<A\nx\nA\nRUN <<EOF\n#!/bin/prog\nbody\nEOF\n"
    )

    shell, cat, script = kitchen.runner.commands
    assert shell.argv[-1] == "one\ntwo\n"
    assert cat.argv[-1] == "cat <<A\nx\nA"
    assert script.argv == ("/dev/pipes/EOF",)
    assert [str(mount.target) for mount in script.mounts] == ["/dev/pipes/EOF"]


def test_workdir_makes_its_directory_for_the_user(kitchen):
    result = kitchen.build("FROM base\nUSER web\nWORKDIR /srv/app\n")

    tree = kitchen.tree(result.image)
    assert (tree.lstat("/srv/app").st_uid, tree.lstat("/srv/app").st_gid) == (33, 44)
    assert result.image.config.working_dir == "/srv/app"


def test_workdir_of_a_directory_that_is_there_adds_no_layer(kitchen):
    result = kitchen.build("FROM base\nWORKDIR /etc\n")

    assert len(result.image.layers) == 1


def test_copy_reads_the_context_another_stage_and_an_image(kitchen):
    result = kitchen.build(
        """FROM base AS build
RUN make
FROM scratch
COPY --from=build /ran /from-stage
COPY --from=0 /ran /from-index
COPY --from=base /etc/group /from-image
COPY here /from-context
""",
        files=layer({"/here": "h"}),
    )

    assert kitchen.tree(result.image) == layer(
        {
            "/from-stage": "make",
            "/from-index": "make",
            "/from-image": "staff:x:50:\n",
            "/from-context": "h",
        }
    )


def test_chown_takes_names_from_the_image_and_chmod_bits(kitchen):
    result = kitchen.build(
        "FROM base\nCOPY --chown=web:staff --chmod=u=rw,go= f /f\nCOPY --chown=7 f /g\n",
        files=layer({"/f": "f"}),
    )

    tree = kitchen.tree(result.image)
    assert tree.lstat("/f")[4:6] == (33, 50)
    assert tree.lstat("/f").st_mode & 0o777 == 0o600
    assert tree.lstat("/g")[4:6] == (7, 7)
    with pytest.raises(BuildError, match="Dockerfile:2: no user 'nobody'"):
        kitchen.build("FROM base\nCOPY --chown=nobody f /f\n", files=layer({"/f": "f"}))


def test_heredocs_of_copy_become_files(kitchen):
    result = kitchen.build('FROM scratch\nARG V=1\nCOPY <<a <<"b" /d/\nv=$V\na\nv=$V\nb\n')

    assert kitchen.tree(result.image) == layer({"/d/a": "v=1\n", "/d/b": "v=$V\n"})


def test_add_unpacks_a_local_archive_and_fetches_a_url(kitchen):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    urls = {"https://host/x/tool.tgz": Download(stream.getvalue())}

    result = kitchen.build(
        "FROM scratch\nADD a.tgz /local/\nADD https://host/x/tool.tgz /url/\n",
        files=layer({"/a.tgz": stream.getvalue()}),
        download=urls.__getitem__,
    )

    tree = kitchen.tree(result.image)
    assert tree.listdir("/local") == ["empty"]
    assert tree.listdir("/url") == ["tool.tgz"]
    assert tree.lstat("/url/tool.tgz").st_mode & 0o777 == 0o600


def test_add_verifies_a_checksum(kitchen):
    good = hashlib.sha256(b"body").hexdigest()
    dockerfile = "FROM scratch\nADD --checksum=sha256:{} https://h/f /f\n"

    kitchen.build(dockerfile.format(good), download=lambda url: Download(b"body"))
    with pytest.raises(StepFailedError, match="not the one demanded"):
        kitchen.build(dockerfile.format("0" * 64), download=lambda url: Download(b"body"))


def test_onbuild_is_carried_out_in_the_stage_that_begins_with_the_image(kitchen):
    result = kitchen.build("FROM base AS tool\nONBUILD COPY f /f\nFROM tool\n", files=layer({"/f": "f"}))

    assert kitchen.tree(result.image).read_bytes("/f") == b"f"
    assert result.image.config.on_build == ()


def test_mounts_are_attached_and_part_of_no_layer(kitchen):
    kitchen.build(
        """FROM base AS other
RUN make
FROM base
RUN --mount=type=bind,source=src,target=/src \\
    --mount=type=bind,from=other,source=/ran,target=/tool \\
    --mount=type=cache,target=/cache \\
    --mount=type=tmpfs,target=/tmp \\
    --mount=type=secret,id=key use
RUN --network=none quiet
""",
        files=layer({"/src/f": "f"}),
        secrets={"key": b"k3y"},
    )

    use, quiet = kitchen.runner.commands[-2:]
    bind, tool, cache, tmpfs, secret = use.mounts
    assert (str(bind.target), bind.read_only) == ("/src", True)
    assert kitchen.snapshotter.view(tool.snapshot).lstat(str(tool.path)).st_size == 4
    assert [str(each.target) for each in (cache, tmpfs, secret)] == ["/cache", "/tmp", "/run/secrets/key"]
    assert secret.mode == 0o400
    assert quiet.network is Network.NONE


@pytest.mark.parametrize("flag", ["--security=insecure", "--mount=type=ssh,required", "--network=host"])
def test_what_cannot_be_done_here_is_refused_with_its_line(kitchen, flag: str):
    with pytest.raises(NotSupportedError, match=r"^Dockerfile:2: RUN --"):
        kitchen.build(f"FROM base\nRUN {flag} true\n")


def test_a_failed_run_names_its_line_status_and_last_words(kitchen):
    def act(root, command, output):
        root.write_bytes("/half", b"x")
        output(b"first\nno space\n")
        return 3

    kitchen.runner.acts["bad"] = act

    with pytest.raises(StepFailedError) as raised:
        kitchen.build("FROM base\nRUN good\nRUN bad\n")

    assert str(raised.value) == (
        "Dockerfile:3: RUN: the command ended with exit status 3\n"
        "     3 | RUN bad\n"
        "  it last said:\n    first\n    no space"
    )
    assert raised.value.exit_status == 3
    assert kitchen.snapshotter._uppers == {}


def test_a_missing_source_names_line_and_rule(kitchen):
    with pytest.raises(ContextError) as raised:
        kitchen.build("FROM base\nCOPY a.log /\n", files=layer({"/a.log": "x"}), ignore="*.log\n")

    assert str(raised.value) == (
        "Dockerfile:2: a.log: no such file in the build context\n"
        "  it is excluded by .dockerignore line 1: '*.log'"
    )


def test_a_missing_source_in_a_stage_says_what_is_there(kitchen):
    with pytest.raises(ContextError, match=r"no such file in stage 'b'\n  /etc holds: group, passwd"):
        kitchen.build("FROM base AS b\nFROM base\nCOPY --from=b /etc/shadow /x\n")


def test_an_unknown_image_lists_what_exists_and_how_a_real_build_would_fetch_it(kitchen):
    with pytest.raises(
        UnknownImageError, match=r"(?s)^Dockerfile:1: no image 'postgres:16' here.*base:latest.*docker pull"
    ):
        kitchen.build("FROM postgres:16\n")


def test_a_destination_of_several_sources_must_be_a_directory(kitchen):
    with pytest.raises(BuildError, match=r"Dockerfile:2: "):
        kitchen.build("FROM base\nCOPY a b /x\n", files=layer({"/a": "a", "/b": "b"}))


def test_a_symlink_loop_in_the_destination_is_one_clear_error(kitchen):
    def loop(root, command, output):
        root.symlink("b", "/a")
        root.symlink("a", "/b")

    kitchen.runner.acts["loop"] = loop
    with pytest.raises(StepFailedError, match=r"Dockerfile:3: /a/?: Too many levels of symbolic links"):
        kitchen.build("FROM base\nRUN loop\nCOPY f /a/\n", files=layer({"/f": "f"}))


def test_independent_stages_run_at_the_same_time(kitchen):
    barrier = threading.Barrier(2, timeout=10)
    kitchen.runner.acts["wait"] = lambda root, command, output: barrier.wait() and 0

    kitchen.build(
        "FROM base AS a\nRUN wait\nFROM base AS b\nRUN wait\nFROM scratch\n"
        "COPY --from=a /etc /a\nCOPY --from=b /etc /b\n"
    )

    assert barrier.broken is False


def test_the_failure_of_one_stage_stops_the_others(kitchen):
    kitchen.runner.acts["bad"] = lambda root, command, output: started.wait(10) and 1
    started = threading.Event()

    def slow(root, command, output):
        started.set()
        stop.wait(10)

    stop = threading.Event()
    kitchen.runner.acts["slow"] = slow
    with pytest.raises(StepFailedError, match=r"Dockerfile:2"):
        kitchen.build(
            "FROM base AS a\nRUN bad\nFROM base AS b\nRUN slow\nRUN never\n"
            "FROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b\n",
            stop=stop,
        )

    assert all(command.argv[-1] != "never" for command in kitchen.runner.commands)


def test_only_what_the_target_needs_is_built(kitchen):
    kitchen.build("FROM base AS a\nRUN one\nFROM base AS b\nRUN two\nFROM base\nRUN three\n", target="b")

    assert [command.argv[-1] for command in kitchen.runner.commands] == ["two"]


def test_no_file_of_a_new_layer_is_later_than_the_epoch(kitchen):
    result = kitchen.build("FROM base\nCOPY f /d/f\n", files=layer({"/f": File("f", mtime_ns=99 * 10**9)}))

    tree = kitchen.tree(result.image)
    assert {tree.lstat(path).st_mtime_ns for path in ("/d", "/d/f")} == {0}
    assert result.image.history[-1].created == "1970-01-01T00:00:00Z"


def test_image_and_history_bear_the_date_that_was_asked_for(kitchen):
    dated = kitchen.build("FROM scratch\nCOPY f /f\n", files=layer({"/f": "f"}), epoch_seconds=7)

    assert dated.image.created == "1970-01-01T00:00:07Z"
    assert dated.image.history[-1].created == "1970-01-01T00:00:07Z"


def test_a_command_that_replaces_a_directory_by_a_symlink_is_seen_by_the_next_step(kitchen):
    def act(root, command, output):
        root.mkdir("/real")
        root.symlink("/real", "/link")

    kitchen.runner.acts["link"] = act
    result = kitchen.build("FROM base\nRUN link\nCOPY f /link/\n", files=layer({"/f": "f"}))

    tree = kitchen.tree(result.image)
    assert tree.read_bytes("/real/f") == b"f"
    assert tree.readlink("/link") == "/real"


def test_a_copied_tree_may_hold_symlinks_and_directories_alone(kitchen):
    files = layer({"/d/empty": Dir(mode=0o700), "/d/l": Symlink("empty")})

    result = kitchen.build("FROM scratch\nCOPY d /\n", files=files)

    assert kitchen.tree(result.image) == layer({"/empty": Dir(mode=0o700), "/l": Symlink("empty")})


def test_the_error_is_that_of_the_stage_that_failed_and_not_of_those_it_stopped(kitchen):
    stop = threading.Event()

    def cancelled(root, command, output):
        stop.wait(10)
        raise StepFailedError("the command was cancelled", exit_status=130)

    kitchen.runner.acts["slow"] = cancelled
    kitchen.runner.acts["bad"] = lambda root, command, output: 1
    with pytest.raises(StepFailedError, match=r"Dockerfile:4: RUN: the command ended with exit status 1"):
        kitchen.build(
            "FROM base AS a\nRUN slow\nFROM base AS b\nRUN bad\n"
            "FROM scratch\nCOPY --from=a / /a\nCOPY --from=b / /b\n",
            stop=stop,
        )


def test_a_full_disk_is_one_clear_error_and_leaves_no_workspace(kitchen):
    class Full(type(kitchen.store)):
        def put(self, blob, /):
            if self.is_full:
                raise OSError(errno.ENOSPC, "No space left on device", "/state/blobs")
            return super().put(blob)

    kitchen.store = Full()
    kitchen.store.is_full = False

    def fill(root, command, output):
        root.write_bytes("/f", b"f")
        kitchen.store.is_full = True

    kitchen.runner.acts["fill"] = fill
    with pytest.raises(StepFailedError, match=r"^Dockerfile:2: /state/blobs: No space left on device$"):
        kitchen.build("FROM base\nRUN fill\n")

    assert kitchen.snapshotter._uppers == {}


def test_a_destination_above_the_root_stays_in_the_root(kitchen):
    result = kitchen.build("FROM scratch\nCOPY f ../../../x\n", files=layer({"/f": "f"}))

    assert kitchen.tree(result.image) == layer({"/x": "f"})


def test_an_empty_context_copies_nothing(kitchen):
    result = kitchen.build("FROM base\nCOPY . /etc/\n")

    assert len(result.image.layers) == 1


def test_a_real_run_is_never_given_the_layer_of_a_simulated_one(kitchen):
    dockerfile = "FROM base\nCOPY f /f\nRUN one\nWORKDIR /w\n"
    files = layer({"/f": "f"})
    kitchen.build(dockerfile, files=files)

    kitchen.execution = Execution.REAL
    kitchen.runner.acts["one"] = lambda root, command, output: root.write_bytes("/other", b"real")
    kitchen.build(dockerfile, files=files)

    assert kitchen.cached() == [True, False, False]
    assert kitchen.reasons()[0] == "what runs it changed"

    kitchen.execution = Execution.SIMULATED
    kitchen.build(dockerfile, files=files)
    assert kitchen.cached() == [True, True, True]


def test_steps_without_run_are_shared_by_what_is_real_and_what_is_simulated(kitchen):
    dockerfile = "FROM base\nCOPY f /f\nWORKDIR /w\nADD f /g\n"
    kitchen.build(dockerfile, files=layer({"/f": "f"}))

    kitchen.execution = Execution.REAL
    kitchen.build(dockerfile, files=layer({"/f": "f"}))

    assert kitchen.cached() == [True, True, True]


def test_whoever_listens_is_told_that_a_workspace_is_discarded(kitchen):
    kitchen.runner.acts["fail"] = lambda root, command, output: 3
    with pytest.raises(StepFailedError):
        kitchen.build("FROM base\nRUN fail\n")

    discarded = [each for each in kitchen.events if isinstance(each, WorkspaceDiscarded)]
    assert [(each.stage, each.step) for each in discarded] == [(0, 1)]
    assert kitchen.snapshotter._uppers == {}
