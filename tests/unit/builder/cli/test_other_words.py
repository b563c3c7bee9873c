"""``layerlab run``, ``explain`` and ``compare`` from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

WEB = """FROM nginx:alpine
RUN echo hello > /usr/share/nginx/html/index.html
"""
EXPLAINED = """FROM busybox AS build
ARG WHO=me
RUN echo $WHO > /out

FROM busybox
COPY src/ /src/
COPY --from=build /out /out
WORKDIR /srv
CMD ["true"]
"""


def test_a_server_is_asked_and_its_answer_printed(layerlab, project):
    layerlab("build", "-t", "web", project(WEB))

    said = layerlab("run", "--get", "/", "web")

    assert (said.status, said.out) == (0, "hello\n")
    assert "200 OK" in said.err
    assert layerlab("run", "web", "--get", "/").out == "hello\n"


def test_a_page_that_is_not_there_is_status_1(layerlab, project):
    layerlab("build", "-t", "web", project(WEB))

    said = layerlab("run", "--get", "/absent", "web")

    assert said.status == 1
    assert "404" in said.err


def test_a_server_that_nobody_asks_says_where_it_listens(layerlab, project):
    layerlab("build", "-t", "web", project(WEB))

    said = layerlab("run", "web")

    assert said.status == 0
    assert "port 80" in said.err


def test_run_takes_variables_user_directory_and_entry_point(layerlab, project):
    layerlab("build", "-t", "box", project('FROM busybox\nENTRYPOINT ["echo", "-n"]\nCMD ["x"]\n'))

    assert layerlab("run", "box", "y").out == "y"
    script = "echo -n $A $(pwd) $(id -u)"
    said = layerlab("run", "-e", "A=b", "-w", "/tmp", "-u", "7", "--entrypoint", "sh", "box", "-c", script)
    assert said.out == "b /tmp 7"


def test_run_gives_a_user_the_groups_and_the_home_that_run_instructions_give(layerlab, project):
    ask = "id -G; echo $HOME $PATH; pwd"
    layerlab(
        "build",
        "-t",
        "box",
        project(f"""\
FROM alpine
RUN addgroup -g 50 staff && adduser -D -u 1000 -G staff app && addgroup app tty
WORKDIR /srv/a
USER app
RUN ({ask}) > /tmp/said
"""),
    )
    in_build = layerlab("run", "box", "cat", "/tmp/said").out

    assert layerlab("run", "box", "sh", "-c", ask).out == in_build
    assert "/home/app" in in_build


def test_run_makes_the_directory_it_starts_in_and_names_a_user_it_cannot_find(layerlab, project):
    layerlab("build", "-t", "box", project("FROM busybox\n"))

    assert layerlab("run", "-w", "/a/b", "box", "pwd").out == "/a/b\n"
    said = layerlab("run", "-u", "nobody-here", "box", "pwd")
    assert (said.status, said.out) == (1, "")
    assert "unable to find user nobody-here" in said.err


def test_run_says_why_a_command_was_stopped(layerlab, project):
    layerlab("build", "-t", "box", project("FROM busybox\n"))

    said = layerlab("run", "box", "yes")

    assert said.status == 1
    assert "printed more than 64 MiB" in said.err


@pytest.mark.parametrize(("words", "status"), [(["run", "no-such-image"], 1), (["run"], 2)])
def test_run_without_an_image_is_one_message(layerlab, words: list[str], status: int):
    said = layerlab(*words)

    assert said.status == status
    assert "Traceback" not in said.err


def test_explain_says_what_each_line_adds_and_what_decides(layerlab, project):
    path = project(EXPLAINED)
    (path / "src").mkdir()
    (path / "src" / "a.c").write_text("int a;")

    said = layerlab("explain", path / "Dockerfile")

    assert said.status == 0, said.err
    assert "WHO='me', which the command mentions" in said.out
    assert "/src/a.c (6 B)" in said.out
    assert "modification times" in said.out
    assert "in build" in said.out


def test_explain_of_a_line_is_about_that_line(layerlab, project):
    path = project(EXPLAINED)
    (path / "src").mkdir()

    said = layerlab("explain", "--json", f"{path / 'Dockerfile'}:8")

    (explained,) = json.loads(said.out)
    assert explained["text"] == "WORKDIR /srv"
    assert "the path" in explained["decides"]


def test_explain_of_a_line_without_an_instruction_is_one_message(layerlab, project):
    path = project("FROM busybox\n\nRUN true\n")

    said = layerlab("explain", f"{path / 'Dockerfile'}:2")

    assert said.status == 1
    assert "no instruction stands in this line" in said.err


def test_compare_tabulates_builds_and_powers(layerlab, project):
    path = project("FROM busybox\nRUN echo a > /a\nRUN mkdir -p /var/run && echo 1 > /var/run/pid\n")

    said = layerlab("compare", path / "Dockerfile")

    assert said.status == 0, said.err
    assert "kaniko-style" in said.out
    assert "/var/run/pid: removed: a scan ignores this path" in said.out
    assert "not built: rootless, privileged, docker-sock: busybox:latest is an embedded image" in said.out


def test_compare_as_json_holds_costs_and_reasons(layerlab, project):
    path = project("FROM busybox\nRUN echo a > /a\n")

    document = json.loads(layerlab("compare", "--json", path).out)

    simulated, kaniko = document["builds"]
    assert (simulated["same_tree"], kaniko["same_tree"]) == (True, True)
    assert kaniko["entries_scanned"] > simulated["entries_scanned"]
    assert {row["strategy"] for row in document["powers"]} >= {"docker-sock", "kaniko-style"}


def test_compare_of_a_file_that_is_not_there_is_one_message(layerlab, tmp_path):
    said = layerlab("compare", tmp_path / "Dockerfile")

    assert said.status == 1
    assert "no Dockerfile at" in said.err


def test_a_cached_build_with_plain_progress_loads_nothing_heavy(layerlab, project, tmp_path):
    path = project("FROM busybox\nRUN echo a > /a\n")
    layerlab("build", path)
    script = (
        "import sys; from course.cli import run; status = run(sys.argv[1:]); "
        "heavy = {'rich', 'networkx', 'numpy', 'matplotlib', 'http', 'urllib3', 'pyfakefs'}; "
        "print(status, sorted(heavy & set(sys.modules)))"
    )
    env = {**os.environ, "LAYERLAB_HOME": str(tmp_path / "state")}

    done = subprocess.run(
        [sys.executable, "-c", script, "build", "-q", str(path)],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "0 []"
