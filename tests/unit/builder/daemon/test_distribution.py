"""Images in and out by requests: archives, registries, and who the client is to them."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path

from daemon_served import Client, context, told
from registry_served import host, served
from registry_stub import Reply, Request, stub

ALICE = "Basic " + base64.b64encode(b"alice:secret").decode()


def private(request: Request) -> Reply | None:
    """Let in whoever is alice; there is nothing inside."""
    if request.headers.get("Authorization") == ALICE:
        return Reply(200, b"{}") if request.path == "/v2/" else None
    return Reply(401, headers={"WWW-Authenticate": 'Basic realm="here"'})


def auth(**entry: str) -> dict[str, str]:
    return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(entry).encode()).decode()}


def test_an_image_goes_to_a_registry_and_comes_back_the_same(daemon: Client, tmp_path: Path) -> None:
    with served(tmp_path) as server:
        name = f"{host(server)}/deep/er/name"
        daemon.build({"Dockerfile": "FROM alpine\nRUN echo far > /far\n"}, f"t={name}:1")
        before = daemon.ask("GET", f"/images/{name}:1/json").json()["Id"]

        pushed = daemon.ask("POST", f"/images/{name}/push?tag=1", headers=auth())
        daemon.ask("DELETE", f"/images/{name}:1")
        pulled = daemon.ask("POST", f"/images/create?fromImage={name}&tag=1")
        everything = daemon.ask("POST", f"/images/create?fromImage={name}")

        digest = pushed.lines()[-1]["aux"]["Digest"]
        assert pulled.lines()[-2] == {"status": f"Digest: {digest}"}
        assert daemon.ask("GET", f"/images/{name}:1/json").json()["Id"] == before
        assert everything.lines()[-1] == {"status": f"Status: Image is up to date for {name}:1"}
        by_digest = daemon.ask("POST", f"/images/create?fromImage={name}&tag={digest}")
        assert by_digest.status == 200
        assert daemon.ask("GET", f"/images/{name}:1/json").json()["RepoDigests"] == [f"{name}@{digest}"]


def test_what_a_registry_does_not_have_is_a_404_before_anything_is_said(
    daemon: Client, tmp_path: Path
) -> None:
    with served(tmp_path) as server:
        answer = daemon.ask("POST", f"/images/create?fromImage={host(server)}/none&tag=1")

    assert answer.status == 404
    assert "no image" in answer.json()["message"]


def test_credentials_go_with_their_request_and_to_their_registry_alone(daemon: Client) -> None:
    with stub() as registry:
        registry.answering = private
        pull = f"/images/create?fromImage={registry.host}/secret&tag=1"

        known = daemon.ask("POST", pull, headers=auth(username="alice", password="secret"))
        unknown = daemon.ask("POST", pull)

        assert known.status == 404
        assert unknown.status == 500
        assert any(each.headers.get("Authorization") == ALICE for each in registry.requests)
        after = len(registry.requests)
        elsewhere = {"other.example": {"username": "alice", "password": "secret"}}
        header = base64.b64encode(json.dumps(elsewhere).encode()).decode()
        sent = context({"Dockerfile": f"FROM {registry.host}/secret\n"})

        daemon.ask("POST", "/build", sent, headers={"X-Registry-Config": header})

        assert len(registry.requests) > after
        assert not any("Authorization" in each.headers for each in registry.requests[after:])


def test_logging_in_tries_the_password(daemon: Client) -> None:
    with stub() as registry:
        registry.answering = private
        entry = {"username": "alice", "password": "secret", "serveraddress": registry.host}

        right = daemon.ask("POST", "/auth", entry)
        wrong = daemon.ask("POST", "/auth", {**entry, "password": "guess"})

    assert (right.status, right.json()["Status"]) == (200, "Login Succeeded")
    assert wrong.status == 401
    assert "secret" not in wrong.body.decode()


def test_archives_leave_and_arrive_with_all_names(daemon: Client) -> None:
    daemon.build({"Dockerfile": "FROM alpine\nRUN echo a > /a\n"}, "t=left:1&t=left:2")

    saved = daemon.ask("GET", "/images/get?names=left:1&names=left:2")
    daemon.ask("DELETE", "/images/left:1")
    daemon.ask("DELETE", "/images/left:2")
    loaded = daemon.ask("POST", "/images/load?quiet=1", saved.body)

    assert saved.headers["Content-Type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(saved.body)) as tar:
        assert {"manifest.json", "index.json", "oci-layout"} <= set(tar.getnames())
    assert loaded.stream() == "Loaded image: left:1\nLoaded image: left:2\n"


def test_an_archive_that_is_none_or_broken_changes_nothing(daemon: Client) -> None:
    before = daemon.ask("GET", "/images/json").json()

    for body in (b"", b"no archive", daemon.ask("GET", "/images/alpine/get").body[:5000]):
        answer = daemon.ask("POST", "/images/load", body)
        assert answer.status == 400
        assert answer.json()["message"]

    assert daemon.ask("GET", "/images/json").json() == before


def test_lists_are_filtered_and_history_tells_the_last_step_first(daemon: Client) -> None:
    daemon.build({"Dockerfile": "FROM alpine\nLABEL kind=odd\nRUN echo h > /h\n"}, "t=listed:1")

    def names(**filters: list[str]) -> list[str]:
        found = daemon.ask("GET", f"/images/json?filters={told(filters)}").json()
        return [tag for each in found for tag in each["RepoTags"]]

    assert names(reference=["list*"]) == ["listed:1"]
    assert names(label=["kind=odd"]) == ["listed:1"]
    assert names(label=["kind=even"]) == []
    first, second, *_ = daemon.ask("GET", "/images/listed:1/history").json()
    assert first["Tags"] == ["listed:1"]
    assert first["CreatedBy"].startswith("RUN")
    assert second["Size"] == 0
    assert daemon.ask("GET", "/images/search?term=alpine").status == 400


def test_the_daemon_says_what_it_takes(daemon: Client) -> None:
    found = daemon.ask("GET", "/system/df").json()

    assert found["LayersSize"] > 0
    assert daemon.ask("GET", "/info").json()["Images"] == len(found["Images"])
