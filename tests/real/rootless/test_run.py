"""``layerlab build`` and ``layerlab run`` on the command line, for real."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.stores.layout import LayoutStore

pytestmark = [pytest.mark.rootless, pytest.mark.tools("busybox")]

DOCKERFILE = """
FROM base
RUN echo '<h1>made for real</h1>' > /index.html
USER web
WORKDIR /srv
EXPOSE 8000
ENV GREETING=hello
CMD ["httpd", "-f", "-p", "8000", "-h", "/"]
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """A state directory with the image ``web``, built from a base that is given as an OCI layout."""
    place = tmp_path_factory.mktemp("run")
    add_image = request.getfixturevalue("add_image")
    with LayoutStore(str(place / "layout")) as store:
        add_image(store, "any:name")
    context = place / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    named = f"base=oci-layout://{place}/layout:name"
    done = layerlab(place, "build", "--strategy", "auto", "--build-context", named, "-t", "web", str(context))
    assert done.returncode == 0, done.stderr
    assert "strategy: rootless" in done.stderr
    return place


def layerlab(place: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "course", "--state", str(place / "state"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)


def run(place: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return layerlab(place, "run", "--strategy", "rootless", *words, **options)


def started(place: Path, *words: str, **options: Any) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "course",
        "--state",
        str(place / "state"),
        "run",
        "--strategy",
        "rootless",
    ]
    return subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture
def serving(state: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that is published on a port that the kernel chose, and its address."""
    process = started(state, "-p", "0:8000", "web")
    assert process.stderr is not None
    address = process.stderr.readline().split()[0]
    yield process, address
    process.kill()
    process.wait()
    process.stderr.close()


def test_the_image_serves_what_run_made_to_get(state: Path) -> None:
    done = run(state, "web", "--get", "/index.html")

    assert (done.returncode, done.stdout) == (0, "<h1>made for real</h1>\n"), done.stderr
    assert "200 OK" in done.stderr


def test_get_says_when_nobody_serves(state: Path) -> None:
    done = run(state, "--get", "/", "web", "sh", "-c", "echo broken >&2; exit 1")

    assert done.returncode == 1
    assert "broken" in done.stderr
    assert "ended before it served" in done.stderr


def test_streams_status_environment_user_and_directory_are_the_commands(state: Path) -> None:
    done = run(
        state,
        "-e",
        "MORE=m",
        "-w",
        "/new",
        "web",
        "sh",
        "-c",
        "id -u; pwd; echo $GREETING$MORE; echo e >&2; exit 9",
    )

    assert (done.returncode, done.stdout, done.stderr) == (9, "33\n/new\nhellom\n", "e\n")


def test_input_is_passed_on_if_asked_for(state: Path) -> None:
    assert run(state, "-i", "web", "cat", input="typed").stdout == "typed"
    assert run(state, "web", "cat", input="typed").stdout == ""


def test_nothing_of_a_run_stays(state: Path) -> None:
    run(state, "-u", "root", "--rm", "web", "sh", "-c", "echo x > /new")

    assert run(state, "web", "ls", "/new").returncode != 0
    assert not list((state / "state").glob("trees/*/sessions/*"))


def test_a_volume_is_read_only_unless_it_is_said_otherwise(state: Path, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("of the host\n")
    script = "cat /v/f; echo new > /v/g"

    read_only = run(state, "-u", "root", "-v", f"{tmp_path}:/v", "web", "sh", "-c", script)
    writable = run(state, "-u", "root", "-v", f"{tmp_path}:/v:rw", "web", "sh", "-c", script)

    assert (read_only.stdout, read_only.returncode) == ("of the host\n", 1)
    assert (writable.stdout, writable.returncode) == ("of the host\n", 0), writable.stderr
    assert (tmp_path / "g").read_text() == "new\n"


def test_a_published_port_leads_inside_and_the_network_leads_nowhere_else(
    state: Path, serving: tuple[subprocess.Popen[str], str]
) -> None:
    _, address = serving

    answers = [fetched(address + "index.html") for _ in range(20)]

    assert set(answers) == {b"<h1>made for real</h1>\n"}
    assert run(state, "web", "wget", "-q", "-O", "-", address).returncode != 0


def fetched(url: str) -> bytes:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            time.sleep(0.05)  # until it listens
    raise AssertionError(f"nobody answers at {url}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_the_commands_and_the_second_one_ends_it(
    serving: tuple[subprocess.Popen[str], str], number: int
) -> None:
    process, address = serving
    fetched(address)

    for _ in range(2):
        process.send_signal(number)
        time.sleep(0.3)

    assert process.wait(10) == 128 + signal.SIGKILL


def test_a_signal_that_the_command_handles_is_answered(state: Path) -> None:
    script = "trap 'echo stopping; exit 4' TERM; echo up; while :; do sleep 0.1; done"
    process = started(state, "web", "sh", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"

    process.send_signal(signal.SIGTERM)

    assert process.stdout.readline() == "stopping\n"
    assert process.wait(10) == 4
    process.communicate()


def test_a_terminal_is_a_terminal_inside(state: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "course",
        "--state",
        str(state / "state"),
        "run",
        "--strategy",
        "rootless",
    ]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(
            sys.executable, [*command, "-i", "-t", "web", "sh", "-c", "tty; read x; echo got $x; stty size"]
        )
    said = b""
    sent = False
    while b"24 80" not in said or b"got" not in said:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready, said
        try:
            said += os.read(terminal, 1000)
        except OSError:
            break
        if b"/dev/pts/" in said and not sent:
            os.write(terminal, b"keys\r")
            sent = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)

    assert os.waitstatus_to_exitcode(status) == 0, said
    assert b"/dev/pts/0" in said
    assert b"got keys" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-p", "80", "web"), "write [ADDRESS:]PORT_HERE:PORT_INSIDE"),
        (("-v", "relative", "web"), "write SOURCE:TARGET"),
        (("-v", "/absent-here:/v", "web"), "no such file"),
        (("-u", "nobody-here", "web", "true"), "nobody-here"),
        (("web", "absent"), "not found in $PATH"),
        (("--network", "host", "-p", "1:1", "web"), "network of its own"),
        (("absent-image",), "no such image"),
    ],
)
def test_what_cannot_be_is_a_sentence(state: Path, words: tuple[str, ...], said: str) -> None:
    done = run(state, *words)

    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_roots_is_refused_by_name(state: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may listen on every port")
    assert "port 80" in run(state, "-p", "80:8000", "web").stderr


@pytest.mark.parametrize(
    "words", [("-p", "1:1"), ("-v", "/a:/b"), ("-t",)], ids=lambda words: " ".join(words)
)
def test_the_simulation_has_no_ports_volumes_and_terminals(state: Path, words: tuple[str, ...]) -> None:
    done = layerlab(state, "run", *words, "web")

    assert done.returncode == 2
    assert "--strategy rootless" in done.stderr


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("base", "write NAME=oci-layout://"),
        ("base=docker-image://x", "write NAME=oci-layout://"),
        ("base=oci-layout:///absent", "no OCI layout"),
        ("base=oci-layout://{layout}:other", "no image with the tag 'other'"),
    ],
)
def test_a_build_context_that_cannot_be_used_says_why(state: Path, spec: str, said: str) -> None:
    written = spec.format(layout=state / "layout")

    done = layerlab(state, "build", "--build-context", written, str(state / "context"))

    assert done.returncode in (1, 2)
    assert said in done.stderr


def test_doctor_says_yes_and_what_it_found(state: Path) -> None:
    import json

    done = layerlab(state, "doctor", "--json")

    found = json.loads(done.stdout)
    assert done.returncode == 0
    assert found["auto"] == "rootless"
    assert found["strategies"]["rootless"] is None
    assert not list((state / "state").glob("doctor-*"))
    assert "--strategy auto takes: rootless" in layerlab(state, "doctor").stdout


def test_a_build_of_which_every_step_is_known_needs_no_helper(state: Path) -> None:
    script = (
        "import sys; from course.cli import run; status = run(sys.argv[1:]); "
        "print([name for name in sys.modules if name.startswith('builder.') and "
        "name.split('.')[-1] in ('zygote', 'userns', 'overlayfs', 'runner', 'memory')], status)"
    )
    words = ["--state", str(state / "state"), "build", "-q", "--strategy", "rootless"]
    named = ["--build-context", f"base=oci-layout://{state}/layout:name", str(state / "context")]

    done = subprocess.run(
        [sys.executable, "-c", script, *words, *named], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "[] 0"
