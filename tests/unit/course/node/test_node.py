"""The node to play with: what can be played is what the attack graph says, and each failure says why."""

from __future__ import annotations

import pytest

from builder.errors import BuildError
from builder.security.approaches import APPROACHES, builder_of, pod
from builder.security.facts import Settings, builder_named, settings_from, situation
from builder.security.graph import Start
from builder.security.pods import pods_in
from course.cli import run
from course.node.node import ATTEMPTS, PLAYABLE, Node

PASSWORD = "/var/lib/kubelet/pods/*/volumes/*/db/password"
REST = (
    f"docker run -v /:/host alpine sh -c 'cat /host{PASSWORD} /host/root/.docker/config.json'",
    "docker run -v /var/lib:/lib alpine sh -c 'cat /lib/kubelet/pki/*.pem /lib/docker/overlay2/*/diff/app/*'",
    "docker run -v /var/lib:/mnt alpine sh -c 'cat /mnt/kubelet/pki/*.pem /mnt/docker/overlay2/*/diff/app/*'",
    "docker run -v /:/host alpine sh -c 'echo mine > /host/etc/cron.d/mine'",
    "docker run --privileged alpine sh -c 'mkdir -p /mnt && mount /dev/sda1 /mnt && cat /mnt/etc/machine-id'",
    f"cat /mnt{PASSWORD} /mnt/root/.docker/config.json /mnt/var/lib/kubelet/pki/*.pem",
    "cat /mnt/var/lib/docker/overlay2/*/diff/app/ledger.py",
    "echo mine > /mnt/etc/cron.d/mine",
)


def node_of(approach: str, start: Start = Start.JOB, settings: Settings | None = None) -> Node:
    return Node(situation(pod(approach), builder_of(approach), settings), start)


@pytest.mark.parametrize("approach", [each for each in APPROACHES if each != "no-run"])
@pytest.mark.parametrize("start", list(Start), ids=lambda start: start.name)
def test_what_an_attacker_gets_is_what_the_graph_says(approach: str, start: Start) -> None:
    node = node_of(approach, start)

    for line in (*ATTEMPTS, *REST):
        node.run(line)

    assert {name for name in node.gained if name in PLAYABLE} == {
        name for name in PLAYABLE if name in node.reached
    }


def test_each_new_node_comes_with_the_steps_that_lead_to_it() -> None:
    node = node_of("docker-socket")

    move = node.run("docker run -v /:/host alpine cat /host/etc/machine-id")

    assert move.gained == ("runtime_socket", "host_fs")
    assert [str(step) for step in move.lit] == [
        "ci_job → builder_process",
        "builder_process → runtime_socket",
        "runtime_socket → host_fs",
    ]


def test_a_socket_mounted_read_only_is_no_wall() -> None:
    text = b"""
apiVersion: v1
kind: Pod
metadata: {name: build}
spec:
  containers:
    - name: build
      image: docker
      volumeMounts: [{name: s, mountPath: /run, readOnly: true}]
  volumes: [{name: s, hostPath: {path: /var/run}}]
"""
    node = Node(situation(pods_in(text, "pod.yaml")[0], builder_named("docker-socket")))

    assert "runtime_socket" in node.run("docker ps").gained
    assert node.run("touch /run/x").status != 0


@pytest.mark.parametrize(
    ("approach", "settings", "line", "output"),
    [
        ("kaniko", [], "docker ps", "Cannot connect to the Docker daemon"),
        ("docker-socket", ["authz_plugin"], "docker ps", "authorization denied"),
        ("docker-socket", ["sandboxed"], "docker ps", "Cannot connect"),
        ("daemon-user-namespace", [], "mkdir -p /mnt; mount /dev/sda1 /mnt", "permission denied"),
        ("buildkit-rootless", [], "mount /dev/sda1 /mnt", "does not exist"),
    ],
)
def test_what_stops_an_attack_is_a_condition_of_the_graph(
    approach: str, settings: list[str], line: str, output: str
) -> None:
    node = node_of(approach, settings=settings_from(settings))

    move = node.run(line)

    assert output in move.output
    assert move.gained == ()
    assert move.stopped
    assert all(step.when.missing(node.build.facts) for steps in move.stopped.values() for step in steps[:1])


def test_a_user_who_is_not_root_may_not_write_to_the_socket_but_its_group_may() -> None:
    text = """
apiVersion: v1
kind: Pod
metadata: {name: build}
spec:
  securityContext: {runAsUser: 1000%s}
  containers:
    - name: build
      image: docker
      volumeMounts: [{name: s, mountPath: /var/run/docker.sock}]
  volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]
"""
    kind = builder_named("docker-socket")
    outside = Node(situation(pods_in((text % "").encode(), "pod.yaml")[0], kind))
    inside = Node(
        situation(
            pods_in((text % ", supplementalGroups: [998]").encode(), "pod.yaml")[0],
            kind,
            settings_from(["sock_gid=998"]),
        )
    )

    assert "permission denied" in outside.run("docker ps").output
    assert inside.run("docker ps").gained == ("runtime_socket", "other_containers")


def test_the_daemon_of_a_pod_means_the_files_of_the_pod() -> None:
    node = node_of("docker-in-docker")

    move = node.run("docker run -v /:/host alpine cat /host/credentials/.docker/config.json")

    assert move.gained == ("reg_creds",)


def test_whoever_has_the_socket_may_hand_it_on() -> None:
    node = node_of("docker-socket")

    move = node.run("docker run -v /run:/run docker docker run -v /etc:/e alpine cat /e/machine-id")

    assert "host_fs" in move.gained


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("docker", "here are run, ps"),
        ("docker run", "needs an image"),
        ("docker run -v", "flag needs an argument: -v"),
        ("docker run -v x:y alpine", "write -v /FROM:/TO"),
        ("docker run -v /:/ alpine ls", "destination can't be '/'"),
        ("docker run --gpus all alpine", "--gpus is not simulated"),
        ("docker run postgres", "Unable to find image 'postgres'"),
        ("docker run alpine nothing", "nothing"),
        ("docker -H tcp://1.2.3.4 ps", "Cannot connect"),
        ("mount", "write mount /dev/sda1 /mnt"),
        ("mount /etc/passwd /mnt", "is not a block device"),
        ("if then", "syntax error"),
    ],
)
def test_what_cannot_be_played_is_said_in_the_words_of_the_program(line: str, said: str) -> None:
    move = node_of("docker-socket").run(line)

    assert said in move.output
    assert move.status != 0


def test_a_builder_that_runs_nothing_lets_no_dockerfile_in() -> None:
    with pytest.raises(BuildError, match="runs nothing"):
        node_of("no-run", Start.DOCKERFILE)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shell_tells_goals_moves_and_walls_in_both_languages(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    import io

    lines = "goals\ndocker ps\nwhy node_root\nwhy\nhelp\npod\nmount /dev/sda1 /mnt\nquit\nnever\n"
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))

    assert run(["--state", str(tmp_path), "node", "shell", "--lang", language]) == 0

    said = capsys.readouterr().out
    assert "E049  runtime_socket → other_containers" in said
    assert "E066" in said
    assert "hostPath" in said
    assert "never" not in said
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said) == (language == "zh")


def test_a_pod_without_a_builder_is_one_sentence(tmp_path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: x}]}\n"
    )

    assert run(["--state", str(tmp_path), "node", "shell", str(file)]) == 1

    assert "say --builder KIND" in capsys.readouterr().err
