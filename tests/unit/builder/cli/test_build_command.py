"""``layerlab build`` from outside: what it prints, writes, and says when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
import time

import pytest

HELLO = 'FROM busybox\nCOPY hello.txt /srv/hello.txt\nRUN cat /srv/hello.txt > /copy\nCMD ["cat", "/copy"]\n'


def test_a_limit_stops_a_step_and_the_option_in_the_error_lifts_it(layerlab, project):
    path = project("FROM busybox\nRUN head -c 20000 /dev/zero >/f\n")

    said = layerlab("build", "--limit", "written=10k", path)
    assert said.status == 1
    assert "wrote more than 10240 bytes into files" in said.err
    assert "--limit written=SIZE" in said.err
    assert layerlab("build", "--limit", "written=30k", path).status == 0
    assert layerlab("build", "--no-cache", "--limit", "written=none", path).status == 0


@pytest.mark.parametrize("written", ["memory", "speed=3", "memory=much", "memory=-1"])
def test_a_limit_that_means_nothing_is_a_usage_error(layerlab, project, written: str):
    said = layerlab("build", "--limit", written, project("FROM busybox\n"))

    assert said.status == 2
    assert f"--limit {written}: " in said.err


def test_a_build_reports_stages_layers_weights_and_how_to_load_it(layerlab, project):
    said = layerlab("build", "-t", "hi", project(HELLO, **{"hello.txt": "hello"}))

    assert said.status == 0, said.err
    assert "■ 0   FROM busybox" in said.out
    assert "COPY hello.txt /srv/hello.txt" in said.out
    assert "was shipped" in said.out
    assert "layerlab save hi:latest | docker load" in said.out
    assert "1/100 of the real ones" in said.out
    assert "not cached: it was not built here before" in said.err


def test_a_second_build_is_cached_and_gives_the_same_image(layerlab, project):
    path = project(HELLO, **{"hello.txt": "hello"})
    first = layerlab("build", "--json", path)

    os.utime(path / "hello.txt", (1, 1))
    second = layerlab("build", "--json", path)

    assert json.loads(first.out)["digest"] == json.loads(second.out)["digest"]
    assert second.err.count("CACHED") == 2


def test_what_was_built_runs(layerlab, project):
    layerlab("build", "-t", "hi", project(HELLO, **{"hello.txt": "hello"}))

    assert layerlab("run", "hi").out == "hello"
    assert layerlab("run", "hi", "echo", "-n", "other").out == "other"
    assert layerlab("run", "hi", "sh", "-c", "exit 3").status == 3
    assert layerlab("run", "hi", "absent").status == 127


def test_quiet_prints_the_digest_alone(layerlab, project):
    said = layerlab("build", "-q", project("FROM scratch\nLABEL a=b\n"))

    assert said.out.startswith("sha256:")
    assert (said.out.count("\n"), said.err) == (1, "")


def test_progress_as_json_is_one_event_a_line(layerlab, project):
    said = layerlab("build", "--progress", "json", project("FROM busybox\nRUN echo hi\n"))

    events = [json.loads(line) for line in said.err.splitlines()]
    assert next(event["event"] for event in events) == "BuildBegan"
    assert {"event": "OutputPrinted", "stage": 0, "step": 1, "data": "hi\n"} in events


def test_both_strategies_build_the_same_tree(layerlab, project, tmp_path):
    path = project(HELLO, **{"hello.txt": "hello"})

    for strategy in ("simulated", "kaniko-style"):
        said = layerlab("build", "--strategy", strategy, "-o", tmp_path / strategy, path)
        assert said.status == 0, said.err

    assert (
        (tmp_path / "kaniko-style/copy").read_text() == (tmp_path / "simulated/copy").read_text() == "hello"
    )
    assert not (tmp_path / "kaniko-style/kaniko").exists()


def test_a_strategy_that_needs_more_power_says_what(layerlab, project):
    said = layerlab("build", "--strategy", "privileged", project("FROM scratch\n"))

    assert said.status == 1
    assert "uid 0 of every RUN is this machine's root" in said.err


def test_an_archive_goes_where_it_is_wanted(layerlab, project, tmp_path):
    said = layerlab("build", "-o", f"type=docker,dest={tmp_path}/image.tar", project("FROM busybox\n"))

    assert said.status == 0
    with tarfile.open(tmp_path / "image.tar") as tar:
        assert "manifest.json" in tar.getnames()


def test_build_arguments_and_secrets_reach_the_run_and_secrets_no_layer(layerlab, project, tmp_path):
    path = project(
        "FROM busybox\nARG WHO\n"
        "RUN --mount=type=secret,id=key echo $WHO $(cat /run/secrets/key) | tr a-z A-Z\n",
        key="k3y",
    )

    said = layerlab("build", "--build-arg", "WHO=me", "--secret", f"id=key,src={path}/key", "--json", path)

    assert "| ME K3Y" in said.err
    assert json.loads(said.out)["layers"][-1]["instruction"] == "COPY * /" or "k3y" not in said.out


def test_a_cache_mount_is_there_again_in_the_next_build(layerlab, project):
    path = project("FROM busybox\nRUN --mount=type=cache,target=/c echo x >> /c/log; cat /c/log\n")

    first = layerlab("build", "--no-cache", path)
    second = layerlab("build", "--no-cache", path)

    assert (first.err.count("| x"), second.err.count("| x")) == (1, 2)


BAD = {
    "unknown instruction": ("FROM busybox\nRUM true\n", "Dockerfile:2", "did you mean 'RUN'"),
    "unknown stage": ("FROM busybox\nCOPY --from=bild /a /b\n", "Dockerfile:2", ""),
    "missing source": (
        "FROM busybox\nCOPY nothing /\n",
        "Dockerfile:2: nothing: no such file",
        "the context holds: .dockerignore",
    ),
    "leaves the context": ("FROM busybox\nCOPY ../x /\n", "Dockerfile:2", "leaves the build context"),
    "invalid UTF-8": (b"FROM busybox\nRUN \xff\xfe\n", "Dockerfile", "UTF-8"),
    "a NUL byte": (b"FROM busybox\nRUN a\0b\n", "Dockerfile", "NUL"),
    "nothing in it": ("", "Dockerfile", ""),
    "no FROM": ("RUN true\n", "Dockerfile:1", "FROM"),
    "unknown image": ("FROM postgres:16\n", "Dockerfile:1: no image 'postgres:16'", "docker pull"),
    "a failing command": ("FROM busybox\nRUN false\n", "Dockerfile:2", "exit status 1"),
    "a command that is not simulated": ("FROM busybox\nRUN pythom\n", "Dockerfile:2", "127"),
    "insecure": ("FROM busybox\nRUN --security=insecure true\n", "Dockerfile:2", "insecure"),
    "ssh": ("FROM busybox\nRUN --mount=type=ssh,required true\n", "Dockerfile:2", "ssh"),
    "a missing secret": (
        "FROM busybox\nRUN --mount=type=secret,id=k,required true\n",
        "Dockerfile:2",
        "--secret id=k",
    ),
    "a URL": ("FROM busybox\nADD https://no.such.host/x /\n", "Dockerfile:2", "no.such.host"),
    "git": ("FROM busybox\nADD https://github.com/a/b.git /\n", "Dockerfile:2", "git"),
    "a bad mode": ("FROM busybox\nCOPY --chmod=rwx Dockerfile /\n", "Dockerfile:2", "--chmod"),
    "an unknown owner": (
        "FROM busybox\nCOPY --chown=who Dockerfile /\n",
        "Dockerfile:2: no user 'who'",
        "uid",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_message_with_a_place_and_status_1(layerlab, project, case: str):
    dockerfile, where, what = BAD[case]
    path = project(dockerfile)
    (path / ".dockerignore").write_text("Dockerfile\n" if case == "missing source" else "")

    said = layerlab("build", "--progress", "quiet", path)

    assert said.status == 1
    assert said.err.startswith("layerlab: ")
    assert where in said.err
    assert what in said.err
    assert "Traceback" not in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "words",
    [
        ["build"],
        ["build", "/no/such/directory"],
        ["build", "--strategy", "magic", "."],
        ["build", "--timestamp", "yesterday", "."],
        ["build", "--secret", "nonsense", "."],
        ["build", "--no-such-option", "."],
    ],
)
def test_wrong_usage_is_status_2(layerlab, words: list[str]):
    assert layerlab(*words).status == 2


def test_no_dockerfile_is_one_message(layerlab, project):
    said = layerlab("build", project())

    assert said.status == 1
    assert "no Dockerfile at" in said.err


def test_limits_are_options(layerlab, project):
    path = project("FROM busybox\nRUN true\n")

    assert layerlab("build", "--max-dockerfile-size", "10", path).status == 1
    assert layerlab("build", "--max-instructions", "1", path).status == 1


def test_an_unreadable_context_file_is_one_message(layerlab, project, monkeypatch):
    path = project("FROM scratch\nCOPY pipe /\n")
    os.mkfifo(path / "pipe")

    said = layerlab("build", path)

    assert said.status in (0, 1)
    assert "Traceback" not in said.err


def test_a_destination_that_exists_and_is_not_ours_stays_as_it_is(layerlab, project, tmp_path):
    (tmp_path / "precious").write_text("mine")

    said = layerlab("build", "-o", f"type=oci,dest={tmp_path}/precious", project("FROM scratch\nLABEL a=b\n"))

    assert said.status == 1
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_run_that_never_ends_is_stopped_by_the_timeout(layerlab, project):
    said = layerlab("build", "--timeout", "0.1", project("FROM busybox\nRUN while :; do :; done\n"))

    assert said.status == 1
    assert "Dockerfile:2: the command did not end within 0.1 s" in said.err


ENDLESS = "while :; do :; done"


@pytest.mark.parametrize(
    "dockerfile",
    [
        f"FROM busybox AS a\nRUN {ENDLESS}\nFROM busybox\nRUN {ENDLESS}\nCOPY --from=a / /x\n",
        f"FROM busybox\nRUN {ENDLESS} | cat\n",
    ],
)
def test_ctrl_c_ends_with_130_and_leaves_no_temporary_files(project, tmp_path, dockerfile: str):
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    env = {**os.environ, "LAYERLAB_HOME": str(tmp_path / "state"), "TMPDIR": str(scratch)}
    words = [sys.executable, "-m", "course.cli", "build", str(project(dockerfile))]
    child = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    while "not cached" not in child.stderr.readline():
        pass
    time.sleep(0.2)

    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)

    assert child.returncode == 130
    assert "Traceback" not in said
    assert list(scratch.iterdir()) == []
    assert list((tmp_path / "state" / "scratch").iterdir()) == []


def test_a_build_that_was_killed_leaves_a_store_in_which_the_next_one_works(project, tmp_path):
    path = project(f"FROM busybox\nRUN echo first > /a\nRUN {ENDLESS}\n")
    env = {**os.environ, "LAYERLAB_HOME": str(tmp_path / "state")}
    words = [sys.executable, "-m", "course.cli", "build", str(path)]
    child = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    while "2/2] not cached" not in child.stderr.readline():
        pass
    child.kill()
    child.communicate(timeout=30)
    project("FROM busybox\nRUN echo first > /a\nRUN echo second > /b\n")

    again = subprocess.run(words, env=env, capture_output=True, text=True, check=False)

    assert again.returncode == 0, again.stderr
    assert list((tmp_path / "state" / "scratch").iterdir()) == []


def test_builds_at_the_same_time_in_one_store_give_the_same_image(project, tmp_path):
    path = project("FROM busybox\nRUN echo first > /a\n")
    env = {**os.environ, "LAYERLAB_HOME": str(tmp_path / "state")}
    words = [sys.executable, "-m", "course.cli", "build", "--quiet"]
    children = [
        subprocess.Popen([*words, "-t", name, str(path)], env=env, stdout=subprocess.PIPE, text=True)
        for name in ("one", "two", "three")
    ]

    digests = {child.communicate(timeout=60)[0] for child in children}

    assert [child.returncode for child in children] == [0, 0, 0]
    assert len(digests) == 1
