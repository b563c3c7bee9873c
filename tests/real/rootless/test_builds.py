"""Whole builds with real processes: what they make, and that model and machine agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builder.engine.order import CacheUse
from builder.errors import BuildError, NotSupportedError, StepFailedError
from builder.events import CacheHit, Event, OutputPrinted
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


def read(builder: Any, build: Any, path: str) -> bytes:
    return bytes(builder.tree(build).read_bytes(path))


def test_a_stage_is_built_by_real_processes_and_another_takes_what_it_made(builder: Any) -> None:
    build = builder.build(
        """
        FROM base AS one
        WORKDIR /src
        COPY motd .
        RUN mkdir out && tr a-z A-Z < motd > out/loud && chown web:web out/loud && ln -s loud out/l
        FROM base
        COPY --from=one /src/out /out
        RUN ["/bin/rm", "-r", "/etc/group"]
        """,
        FILES,
    )

    tree = builder.tree(build)
    assert tree.read_bytes("/out/loud") == b"HELLO\n"
    assert tree.lstat("/out/loud")[4:6] == (33, 44)
    assert tree.readlink("/out/l") == "loud"
    assert "group" not in tree.listdir("/etc")


def test_nothing_of_the_sandbox_ends_in_a_layer(builder: Any) -> None:
    build = builder.build(
        "FROM base\n"
        "RUN --mount=type=secret,id=k --mount=type=cache,target=/var/cache/x --mount=type=tmpfs,target=/t "
        "cat /run/secrets/k && echo > /dev/shm/x && echo > /var/cache/x/y && echo > /t/z\n"
        "RUN echo made > /made\n",
        secrets={"k": b"s3cret"},
    )

    (_, run) = build.result.image.layers
    assert sorted(builder.tree(build).listdir("/")) == ["bin", "etc", "made"]
    assert run.descriptor.size > 0


def test_a_command_is_confined(builder: Any) -> None:
    seen = bytearray()

    def listen(event: Event) -> None:
        if isinstance(event, OutputPrinted):
            seen.extend(event.data)

    builder.build(
        """
        FROM base
        RUN grep -E 'Cap(Prm|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status; hostname; ls /sys; echo $$; \
            mount -t tmpfs t /etc 2>&1 || unshare -U true 2>&1 || true
        """,
        listener=listen,
    )

    said = seen.decode()
    assert said.count("00000000a80425fb") == 2
    assert "NoNewPrivs:\t0" in said  # as in BuildKit; --no-new-privileges says otherwise
    assert "Seccomp:\t2" in said
    assert "buildkitsandbox" in said
    assert "unshare" in said or "not permitted" in said.lower() or "denied" in said.lower()


def test_steps_without_run_have_the_same_diff_ids_as_in_the_simulation(
    new_builder: Any, tmp_path: Path
) -> None:
    text = """
        FROM base AS one
        WORKDIR /srv/app
        COPY --chown=web:44 --chmod=640 motd /etc/motd
        COPY app/ /opt/more/
        COPY --chown=5 app app
        ADD motd /new/deep/place/
        FROM scratch
        COPY --from=one /srv /srv
        COPY --from=one /opt/more/link /l
        """
    builds = [
        new_builder(tmp_path / each.value).build(text, FILES, strategy=each)
        for each in (Strategy.SIMULATED, Strategy.ROOTLESS)
    ]

    simulated, rootless = ([stage.image.diff_ids for stage in build.result.stages] for build in builds)
    assert simulated == rootless


def test_steps_without_run_are_shared_and_a_run_is_not(builder: Any) -> None:
    text = "FROM base\nCOPY motd /motd\nRUN echo x > /x\n"
    hits: list[Event] = []

    def listen(event: Event) -> None:
        if isinstance(event, CacheHit):
            hits.append(event)

    builder.build("FROM base\nCOPY motd /motd\n", FILES, strategy=Strategy.SIMULATED)
    builder.build(text, FILES, listener=listen)
    first = len(hits)
    builder.build(text, FILES, listener=listen)

    assert first == 1
    assert len(hits) == 3


@pytest.mark.parametrize(
    ("run", "status", "said"),
    [
        ("RUN exit 7", 7, "exit status 7"),
        ("RUN kill -9 $$; nothing-there", 127, "exit status 127"),
        ('RUN ["absent"]', 127, "not found in $PATH"),
        ('RUN ["/etc/passwd"]', 126, "permission denied"),
        ("USER nobody-here\nRUN true", 126, "nobody-here"),
        ('SHELL ["/no/shell", "-c"]\nRUN true', 127, "no such file"),
        ("WORKDIR /etc/passwd\nRUN true", None, "/etc/passwd"),
    ],
)
def test_what_fails_names_its_line_and_reason(builder: Any, run: str, status: int | None, said: str) -> None:
    with pytest.raises(BuildError) as raised:
        builder.build(f"FROM base\n{run}\n")

    assert said in str(raised.value)
    assert str(raised.value.where).startswith("Dockerfile:")
    if status is not None:
        assert isinstance(raised.value, StepFailedError)
        assert raised.value.exit_status == status


def test_toys_of_the_embedded_images_are_refused_by_a_sentence_but_their_files_can_be_used(
    builder: Any,
) -> None:
    builder.build("FROM alpine\nCOPY motd /motd\n", FILES)

    with pytest.raises(StepFailedError, match="toys of the simulated world"):
        builder.build("FROM alpine\nRUN true\n")


def test_an_image_with_a_link_for_dev_is_refused_and_nothing_is_written_through_it(builder: Any) -> None:
    with pytest.raises(BuildError, match="/dev a symlink"):
        builder.build(
            "FROM base\nCOPY trap/ /\nRUN true\n",
            {"/trap/dev": Symlink("/etc")},
        )


def test_insecure_is_refused_with_its_reason(builder: Any) -> None:
    with pytest.raises(NotSupportedError, match="privileged step"):
        builder.build("FROM base\nRUN --security=insecure true\n")


def test_without_a_state_directory_there_is_no_rootless_build(builder: Any) -> None:
    builder.state = None

    with pytest.raises(NotSupportedError, match="directory"):
        builder.build("FROM base\nRUN true\n")


def test_a_heredoc_with_an_interpreter_is_a_program_of_its_own(builder: Any) -> None:
    build = builder.build("FROM base\nRUN <<EOF\n#!/bin/sh -e\necho $0 > /who\nEOF\n")

    assert read(builder, build, "/who").startswith(b"/dev/pipes/")


def test_an_agent_is_where_ssh_looks_for_it_if_one_was_passed(builder: Any, tmp_path: Path) -> None:
    import socket

    run = 'echo "$SSH_AUTH_SOCK" > /seen; [ -z "$SSH_AUTH_SOCK" ] || [ -S "$SSH_AUTH_SOCK" ]'
    text = f"FROM base\nRUN --mount=type=ssh {run}\n"
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        agent.listen()
        passed = builder.build(text, ssh={"default": tmp_path / "agent"}, cache=CacheUse.IGNORE)
    without = builder.build(text, cache=CacheUse.IGNORE)

    assert read(builder, passed, "/seen") == b"/run/buildkit/ssh_agent.0\n"
    assert read(builder, without, "/seen") == b"\n"
    with pytest.raises(NotSupportedError, match="--ssh default"):
        builder.build("FROM base\nRUN --mount=type=ssh,required true\n")


def test_a_run_may_ask_for_the_machines_network_or_for_none(builder: Any) -> None:
    build = builder.build(
        "FROM base\nRUN --network=host wc -l < /proc/net/unix > /host\n"
        "RUN --network=none wc -l < /proc/net/unix > /none\n"
    )

    assert int(read(builder, build, "/none")) <= 1 < int(read(builder, build, "/host"))
