"""Requests as bytes: what clients negotiate by, and what broken or hostile ones are told."""

import json
import re
import socket
from pathlib import Path

import pytest
from daemon_served import Client, served

from builder.daemon.http.connection import Bounds

PING = b"GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n"


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def message(answer: bytes) -> str:
    text: str = json.loads(answer.partition(b"\r\n\r\n")[2])["message"]
    return text


def test_ping_tells_what_clients_negotiate_by(daemon: Client) -> None:
    answer = daemon.ask("GET", "/_ping")

    assert (answer.status, answer.body) == (200, b"OK")
    assert answer.headers["Api-Version"] == "1.55"
    assert answer.headers["Builder-Version"] == "1"
    assert answer.headers["Ostype"] == "linux"


def test_a_head_request_has_the_headers_and_no_body_and_the_connection_stays(daemon: Client) -> None:
    answer = daemon.raw(b"HEAD /_ping HTTP/1.1\r\nHost: d\r\n\r\n" + PING)

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"\r\n\r\nOK") == 1


@pytest.mark.parametrize("version", ["1.40", "1.41", "1.50", "1.55"])
def test_every_version_from_the_oldest_to_the_newest_is_spoken(daemon: Client, version: str) -> None:
    assert daemon.ask("GET", f"/v{version}/version").status == 200


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("1.56", "client version 1.56 is too new. Maximum supported API version is 1.55"),
        ("1.39", "client version 1.39 is too old. Minimum supported API version is 1.40"),
        ("2.0", "client version 2.0 is too new"),
    ],
)
def test_another_version_is_refused_by_name(daemon: Client, version: str, said: str) -> None:
    answer = daemon.ask("GET", f"/v{version}/images/json")

    assert answer.status == 400
    assert said in answer.json()["message"]


def test_an_unknown_path_and_a_wrong_method_are_told_apart(daemon: Client) -> None:
    assert daemon.ask("GET", "/nowhere").status == 404
    assert daemon.ask("DELETE", "/version").status == 405


@pytest.mark.parametrize(
    "path", ["/images/../../etc/passwd/json", "/images/%2e%2e/json", "/v1.41/../_ping", "/a/."]
)
def test_a_path_that_leads_elsewhere_is_refused(daemon: Client, path: str) -> None:
    answer = daemon.raw(f"GET {path} HTTP/1.1\r\nHost: d\r\n\r\n".encode())

    assert status(answer) == 400
    assert "neither . nor .." in message(answer)


def test_a_head_of_a_mebibyte_is_refused_and_nothing_else_is_hindered(daemon: Client) -> None:
    answer = daemon.raw(b"GET /_ping HTTP/1.1\r\nHost: d\r\nX: " + b"x" * (1 << 20) + b"\r\n\r\n")

    assert status(answer) == 431
    assert "head of the request" in message(answer)
    assert daemon.ask("GET", "/_ping").status == 200


def test_a_head_of_a_hundred_kilobytes_is_taken(daemon: Client) -> None:
    answer = daemon.ask("GET", "/_ping", headers={"X-Registry-Config": "x" * 60_000, "X-More": "y" * 60_000})

    assert answer.status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n\r\n",
        b"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: -1\r\n\r\n",
        b"POST /build HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /build HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(daemon: Client, sent: bytes) -> None:
    assert status(daemon.raw(sent)) in (400, 501)
    assert daemon.ask("GET", "/_ping").status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 100\r\n\r\n{",
        b"POST /build HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"POST /images/load HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
    ],
)
def test_a_body_that_is_cut_or_lies_about_its_length_comes_to_nothing(daemon: Client, sent: bytes) -> None:
    answer = daemon.raw(sent)

    assert not answer or status(answer) == 400
    assert daemon.ask("GET", "/containers/json?all=1").json() == []


@pytest.mark.parametrize(
    "body",
    [b"[]", b"nul", b"{", b'{"Image":', b"[" * 100_000, b"\xff\xfe"],
)
def test_a_body_that_is_no_json_object_is_refused(daemon: Client, body: bytes) -> None:
    answer = daemon.ask("POST", "/containers/create", body)

    assert answer.status == 400


@pytest.mark.parametrize(
    "target",
    [
        "/images/json?filters=nonsense",
        "/images/json?filters=[]",
        '/images/json?filters={"strange":["x"]}',
        "/events?since=yesterday",
        "/containers/json?limit=many",
    ],
)
def test_a_query_that_cannot_be_understood_is_refused(daemon: Client, target: str) -> None:
    answer = daemon.ask("GET", target.replace('"', "%22"))

    assert answer.status == 400
    assert answer.json()["message"]


def test_a_half_closed_client_still_gets_its_answer(daemon: Client) -> None:
    assert b"OK" in daemon.raw(PING)


def test_requests_that_come_at_once_are_answered_in_order(daemon: Client) -> None:
    answer = daemon.raw(PING + b"GET /nowhere HTTP/1.1\r\nHost: d\r\n\r\n" + PING)

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200"]


def test_five_hundred_half_open_connections_hinder_nobody_and_are_let_go(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(head_seconds=1.0, idle_seconds=1.0)) as daemon:
        half = [daemon.connect() for _ in range(500)]
        for connection in half[:250]:
            connection.sendall(b"POST /build HTTP/1.1\r\nHost: ")

        assert daemon.ask("GET", "/_ping").status == 200
        for connection in half:
            assert connection.recv(1) == b""
            connection.close()


def test_a_socket_is_its_users_alone(daemon: Client) -> None:
    assert daemon.path.stat().st_mode & 0o777 == 0o600


def test_a_client_that_leaves_amid_a_list_hinders_nobody(daemon: Client) -> None:
    for _ in range(50):
        connection = daemon.connect()
        connection.sendall(b"GET /images/json HTTP/1.1\r\nHost: d\r\n\r\n")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()

    assert daemon.ask("GET", "/_ping").status == 200
