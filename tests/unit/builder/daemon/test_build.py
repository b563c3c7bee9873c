"""``/build`` by requests: what a build says, how it fails, and that nobody waits for another."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemon_served import Client, context, told

from builder.daemon.threads import ASIDE

FOREVER = "FROM alpine\nRUN echo begun; while true; do :; done\n"


def test_a_build_is_told_step_by_step_and_named(daemon: Client) -> None:
    answer = daemon.build(
        {"Dockerfile": "FROM alpine\nRUN echo hello | tee /h\nCOPY f /f\n", "f": "x"}, "t=told:1"
    )

    said = answer.stream()
    assert answer.status == 200
    assert "Step 1/3 : FROM alpine\n" in said
    assert "Step 2/3 : RUN echo hello | tee /h\nhello\n ---> layer " in said
    assert said.endswith("Successfully tagged told:1\n")
    (image,) = (line["aux"]["ID"] for line in answer.lines() if "aux" in line)
    assert f"Successfully built {image[7:19]}\n" in said
    assert daemon.ask("GET", "/images/told:1/json").json()["Id"] == image


def test_lines_are_json_objects_that_end_with_carriage_return_and_newline(daemon: Client) -> None:
    answer = daemon.build({"Dockerfile": "FROM alpine\n"})

    assert all(line.endswith(b"\r\n") for line in answer.body.splitlines(keepends=True))


def test_a_known_step_says_so_unless_the_cache_is_not_to_be_used(daemon: Client) -> None:
    files = {"Dockerfile": "FROM alpine\nRUN echo cached > /c\n"}
    daemon.build(files)

    assert " ---> Using cache\n" in daemon.build(files).stream()
    assert " ---> Using cache\n" not in daemon.build(files, "t=made&nocache=1").stream()


def test_stages_are_told_one_after_the_other_and_numbered_through(daemon: Client) -> None:
    first = "FROM alpine AS a\nRUN echo one > /a\nFROM alpine AS b\nRUN echo two\n"
    last = "FROM alpine\nCOPY --from=a /a /\nCOPY --from=b /etc/motd /m\n"

    said = daemon.build({"Dockerfile": first + last}, "t=stages&nocache=1").stream()

    steps = [line for line in said.splitlines() if line.startswith("Step ")]
    assert [step.partition(" : ")[0] for step in steps] == [f"Step {number}/7" for number in range(1, 8)]
    assert steps[2] == "Step 3/7 : FROM alpine AS b"


def test_build_arguments_target_labels_and_several_names_are_heeded(daemon: Client) -> None:
    text = "FROM alpine AS first\nARG X\nRUN echo $X > /x\nFROM first\nRUN false\n"
    query = f"t=one&t=two:2&target=first&buildargs={told({'X': '5'})}&labels={told({'a': 'b'})}"

    answer = daemon.build({"Dockerfile": text}, query)

    assert "Successfully tagged one:latest\nSuccessfully tagged two:2\n" in answer.stream()
    shown = daemon.ask("GET", "/images/two:2/json").json()
    assert shown["Config"]["Labels"] == {"a": "b"}
    assert sorted(shown["RepoTags"]) == ["one:latest", "two:2"]


def test_a_build_without_a_name_is_found_by_its_id_and_survives_a_prune_of_the_cache(daemon: Client) -> None:
    answer = daemon.build({"Dockerfile": "FROM alpine\nRUN echo nameless > /n\n"}, "q=1")
    image = answer.stream().strip()

    daemon.ask("POST", "/build/prune")

    assert daemon.ask("GET", f"/images/{image[7:19]}/json").json()["RepoTags"] == []
    assert daemon.ask("DELETE", f"/images/{image}").json() == [{"Deleted": image}]
    assert daemon.ask("GET", f"/images/{image}/json").status == 404


def test_a_name_that_goes_to_another_image_leaves_the_first_one_by_its_id(daemon: Client) -> None:
    daemon.build({"Dockerfile": "FROM alpine\nRUN echo 1 > /n\n"}, "t=moving")
    first = daemon.ask("GET", "/images/moving/json").json()["Id"]

    daemon.build({"Dockerfile": "FROM alpine\nRUN echo 2 > /n\n"}, "t=moving")

    assert daemon.ask("GET", f"/images/{first}/json").json()["RepoTags"] == []
    listed = daemon.ask("GET", f"/images/json?filters={told({'dangling': ['true']})}").json()
    assert first in [each["Id"] for each in listed]


def test_a_step_that_fails_is_the_last_line_with_its_exit_status(daemon: Client) -> None:
    answer = daemon.build({"Dockerfile": "FROM alpine\nRUN exit 3\n"}, "t=failed")

    last = answer.lines()[-1]
    assert answer.status == 200
    assert last["errorDetail"]["code"] == 3
    assert last["error"] == last["errorDetail"]["message"]
    assert "Dockerfile:2" in last["error"]
    assert daemon.ask("GET", "/images/failed/json").status == 404


@pytest.mark.parametrize(
    ("files", "query", "said"),
    [
        ({"Dockerfile": "FRM alpine\n"}, "", "did you mean 'FROM'?"),
        ({"other": ""}, "", "Cannot locate specified Dockerfile: Dockerfile"),
        ({"Dockerfile": "FROM alpine\n"}, "dockerfile=../Dockerfile", "must be within the build context"),
        ({"Dockerfile": "FROM alpine\n"}, "target=nowhere", "nowhere"),
        ({"Dockerfile": "FROM alpine\n"}, "t=UPPER", "lower case is needed"),
        ({"Dockerfile": "FROM alpine\n"}, "buildargs=[]", "buildargs must be a JSON object of strings"),
        ({"Dockerfile": "FROM alpine\n"}, "memory=1000000", "memory: nothing here limits"),
        ({"Dockerfile": "FROM alpine\n"}, "networkmode=host", "networkmode: "),
        ({"Dockerfile": "FROM alpine\n"}, "remote=https://example.com/x.git", "remote: "),
        ({"Dockerfile": "FROM alpine\n"}, "version=2", "DOCKER_BUILDKIT=0"),
    ],
)
def test_what_cannot_be_built_or_kept_is_refused_before_anything_is_said(
    daemon: Client, files: dict[str, str], query: str, said: str
) -> None:
    answer = daemon.build(files, query)

    assert answer.status == 400
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the archive is broken"),
        (b"this is no tar" * 100, "the archive is broken"),
        (context({"../../etc/passwd": "x", "Dockerfile": ""}), "the entry '../../etc/passwd' would leave"),
        (context({"Dockerfile": "FROM alpine\n" * 1000})[:4000], "the archive"),
        (b"\x1f\x8b\x08\x00" + b"\0" * 100, "the archive is broken"),
    ],
)
def test_a_context_that_is_broken_or_escapes_is_refused_by_its_entry(
    daemon: Client, body: bytes, said: str
) -> None:
    answer = daemon.ask("POST", "/build", body)

    assert answer.status == 400
    assert said in answer.json()["message"]


def test_the_ignore_file_and_the_dockerfile_are_hidden_if_the_first_says_so(daemon: Client) -> None:
    files = {
        "Dockerfile": "FROM alpine\nCOPY . /c\nRUN ls -a /c\n",
        ".dockerignore": "Dockerfile\n",
        "kept": "",
    }

    said = daemon.build(files, "t=ignored&nocache=1").stream()

    assert "kept\n" in said
    assert "\nDockerfile\n" not in said
    assert ".dockerignore\n" in said


def test_a_client_that_leaves_stops_its_build(daemon: Client) -> None:
    connection = daemon.connect()
    body = context({"Dockerfile": FOREVER})
    connection.sendall(
        f"POST /build?t=left HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
    said = b""
    while b'{"stream": "begun' not in said:
        said += connection.recv(1 << 16)

    connection.close()

    deadline = time.monotonic() + 30
    while simulations() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert simulations() == 0
    assert daemon.ask("GET", "/images/left/json").status == 404


def simulations() -> int:
    """How many builds run: each has a thread beside the loop."""
    return sum(thread.name == ASIDE for thread in threading.enumerate())


def test_a_build_that_does_not_end_hinders_nobody(daemon: Client) -> None:
    with daemon.connect() as connection:
        body = context({"Dockerfile": FOREVER})
        head = f"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        while b'{"stream": "begun' not in connection.recv(1 << 16):
            pass

        assert daemon.ask("GET", "/_ping").status == 200
        assert daemon.build({"Dockerfile": "FROM alpine\nRUN echo beside\n"}).status == 200


def test_thirty_two_clients_at_once_lose_nothing(daemon: Client) -> None:
    def build(number: int) -> str:
        text = f"FROM alpine\nRUN echo {number} > /n\nRUN cat /n\n"
        return daemon.build({"Dockerfile": text}, f"t=many:{number}").stream()

    with ThreadPoolExecutor(32) as pool:
        said = list(pool.map(build, range(32)))

    for number, text in enumerate(said):
        assert f"\n{number}\n" in text
        assert text.endswith(f"Successfully tagged many:{number}\n")
    listed = daemon.ask("GET", f"/images/json?filters={told({'reference': ['many']})}").json()
    assert sum(len(each["RepoTags"]) for each in listed) == 32


def test_a_body_that_is_sent_slowly_and_in_chunks_is_built(daemon: Client) -> None:
    body = context({"Dockerfile": "FROM alpine\n"})
    with daemon.connect() as connection:
        connection.sendall(b"POST /build?q=1 HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), 3000):
            piece = body[at : at + 3000]
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))

    assert answer.startswith(b"HTTP/1.1 200")
    assert b'{"stream": "sha256:' in answer
