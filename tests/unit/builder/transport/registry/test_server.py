"""The small registry answers as the distribution specification has it, and refuses what is wrong."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3
from registry_served import host, served

from builder.image.digest import digest_of
from builder.image.oci import MEDIA_CONFIG, MEDIA_INDEX, MEDIA_LAYER, MEDIA_MANIFEST
from builder.transport.registry.server import RegistryServer

EMPTY_CONFIG = "application/vnd.oci.empty.v1+json"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RegistryServer]:
    with served(tmp_path) as found:
        yield found


class Api:
    """Requests to one server; nothing is retried and no redirect is followed."""

    def __init__(self, server: RegistryServer) -> None:
        self.url = server.url
        self.pool = urllib3.PoolManager(retries=False)

    def __call__(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> urllib3.BaseHTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.pool.request(method, f"{self.url}{path}", body=body, headers=named, redirect=False)

    def blob(self, content: bytes, name: str = "app") -> dict[str, object]:
        digest = digest_of(content)
        assert self("POST", f"/v2/{name}/blobs/uploads/?digest={digest}", content).status == 201
        return {"mediaType": MEDIA_LAYER, "digest": digest, "size": len(content)}

    def image(self, reference: str = "1", name: str = "app", **more: object) -> tuple[bytes, int]:
        config = {**self.blob(b"{}", name), "mediaType": MEDIA_CONFIG}
        document = {
            "schemaVersion": 2,
            "mediaType": MEDIA_MANIFEST,
            "config": config,
            "layers": [self.blob(b"layer", name)],
            **more,
        }
        return self.put(document, reference, name)

    def put(self, document: dict[str, object], reference: str = "1", name: str = "app") -> tuple[bytes, int]:
        raw = json.dumps(document).encode()
        kind = str(document.get("mediaType", MEDIA_MANIFEST))
        return raw, self("PUT", f"/v2/{name}/manifests/{reference}", raw, Content_Type=kind).status


@pytest.fixture
def api(server: RegistryServer) -> Iterator[Api]:
    found = Api(server)
    yield found
    found.pool.clear()


def code(response: urllib3.BaseHTTPResponse) -> str:
    return str(json.loads(response.data)["errors"][0]["code"])


def test_it_says_that_it_is_a_registry(api: Api) -> None:
    answer = api("GET", "/v2/")

    assert (answer.status, answer.headers["Docker-Distribution-API-Version"]) == (200, "registry/2.0")


def test_a_blob_comes_back_whole_and_in_parts(api: Api) -> None:
    digest = api.blob(b"0123456789")["digest"]

    whole, head = api("GET", f"/v2/app/blobs/{digest}"), api("HEAD", f"/v2/app/blobs/{digest}")
    parts = [
        api("GET", f"/v2/app/blobs/{digest}", Range=f"bytes={each}") for each in ("2-4", "7-", "-3", "0-99")
    ]

    assert (whole.data, whole.headers["Docker-Content-Digest"]) == (b"0123456789", digest)
    assert (head.status, head.headers["Content-Length"], head.data) == (200, "10", b"")
    assert [part.data for part in parts] == [b"234", b"789", b"789", b"0123456789"]
    assert {part.status for part in parts} == {206}
    assert parts[0].headers["Content-Range"] == "bytes 2-4/10"
    assert api("GET", f"/v2/app/blobs/{digest}", Range="bytes=10-").status == 416


def test_an_upload_goes_in_pieces_says_how_far_it_is_and_refuses_a_gap(api: Api) -> None:
    place = api("POST", "/v2/app/blobs/uploads/").headers["Location"]
    assert api("PATCH", place, b"hello ", Content_Range="0-5").status == 202
    assert api("PATCH", place, b"x", Content_Range="9-9").status == 416
    assert api("GET", place).headers["Range"] == "0-5"
    assert api("PATCH", place, b"wor").headers["Range"] == "0-8"

    done = api("PUT", f"{place}?digest={digest_of(b'hello world')}", b"ld")

    assert (done.status, done.headers["Docker-Content-Digest"]) == (201, digest_of(b"hello world"))
    assert api("GET", done.headers["Location"]).data == b"hello world"
    assert api("GET", place).status == 404


def test_bytes_with_another_digest_are_not_kept(api: Api) -> None:
    place = api("POST", "/v2/app/blobs/uploads/").headers["Location"]

    refused = api("PUT", f"{place}?digest={digest_of(b'x')}", b"y")

    assert (refused.status, code(refused)) == (400, "DIGEST_INVALID")
    assert api("HEAD", f"/v2/app/blobs/{digest_of(b'y')}").status == 404


def test_an_upload_can_be_given_up(api: Api, tmp_path: Path) -> None:
    place = api("POST", "/v2/app/blobs/uploads/").headers["Location"]
    api("PATCH", place, b"x" * 100_000)

    assert api("DELETE", place).status == 204
    assert api("GET", place).status == 404


def test_a_chunked_body_is_read(api: Api) -> None:
    place = api("POST", "/v2/app/blobs/uploads/").headers["Location"]
    pieces = iter([b"a" * 70_000, b"b" * 5])

    sent = api.pool.request("PATCH", api.url + place, body=pieces, chunked=True)

    assert sent.headers["Range"] == "0-70004"


def test_a_blob_is_mounted_or_an_upload_begins(api: Api) -> None:
    digest = api.blob(b"shared", "one")["digest"]

    assert api("POST", f"/v2/two/blobs/uploads/?mount={digest}&from=one").status == 201
    assert api("POST", f"/v2/two/blobs/uploads/?mount={digest_of(b'no')}&from=one").status == 202


def test_a_manifest_is_found_by_tag_and_digest_with_its_type(api: Api) -> None:
    raw, status = api.image("v1.0_x")

    by_tag, by_digest = (api("GET", f"/v2/app/manifests/{each}") for each in ("v1.0_x", digest_of(raw)))

    assert status == 201
    assert by_tag.data == by_digest.data == raw
    assert by_tag.headers["Content-Type"] == MEDIA_MANIFEST
    assert by_tag.headers["Docker-Content-Digest"] == digest_of(raw)
    assert api("GET", "/v2/other/manifests/v1.0_x").status == 404


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "MANIFEST_INVALID"),
        ({"schemaVersion": 2, "mediaType": MEDIA_MANIFEST, "config": 1, "layers": []}, "MANIFEST_INVALID"),
        ({"schemaVersion": 2, "mediaType": "text/plain"}, "MANIFEST_INVALID"),
        ({"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": [], "layers": []}, "MANIFEST_INVALID"),
        (
            {
                "schemaVersion": 2,
                "mediaType": MEDIA_INDEX,
                "manifests": [{"mediaType": MEDIA_MANIFEST, "digest": digest_of(b"no"), "size": 2}],
            },
            "MANIFEST_BLOB_UNKNOWN",
        ),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(api: Api, document: dict[str, object], said: str) -> None:
    kind = str(document.get("mediaType", MEDIA_MANIFEST))

    refused = api("PUT", "/v2/app/manifests/1", json.dumps(document).encode(), Content_Type=kind)

    assert code(refused) == said
    assert api("GET", "/v2/app/manifests/1").status == 404


def test_a_manifest_is_not_put_under_the_digest_of_another(api: Api) -> None:
    _, status = api.image(digest_of(b"other"))

    assert status == 400


def test_a_manifest_that_is_larger_than_one_can_be_is_refused(api: Api) -> None:
    try:
        assert api("PUT", "/v2/app/manifests/1", b" " * (6 << 20), Content_Type=MEDIA_MANIFEST).status == 413
    except urllib3.exceptions.HTTPError:
        pass  # It hangs up while we still send.

    assert api("GET", "/v2/app/manifests/1").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v2/../../etc/passwd",
        "/v2/app/blobs/sha256:../../x",
        "/v2/app/blobs/..%2f..%2fetc",
        "/v2/APP/tags/list",
        "/v2/app/manifests/.hidden",
        "/v2/app/manifests/a%20b",
        "/v2/app/blobs/uploads/../../x",
        "/",
        "/v3/",
    ],
)
def test_a_path_that_is_none_is_refused_and_leads_nowhere(api: Api, path: str) -> None:
    assert api("GET", path).status in (400, 404)


def test_tags_and_repositories_are_listed_in_pages(api: Api) -> None:
    for tag in ("b", "a", "c"):
        api.image(tag)
    api.image("x", "two/parts")

    first = api("GET", "/v2/app/tags/list?n=2")
    second = api("GET", first.headers["Link"].partition(">")[0].lstrip("<"))

    assert json.loads(first.data) == {"name": "app", "tags": ["a", "b"]}
    assert json.loads(second.data)["tags"] == ["c"]
    assert json.loads(api("GET", "/v2/_catalog").data) == {"repositories": ["app", "two/parts"]}
    assert code(api("GET", "/v2/no/tags/list")) == "NAME_UNKNOWN"


def test_deleting_a_tag_leaves_the_manifest_and_deleting_that_takes_its_tags(api: Api) -> None:
    raw, _ = api.image("one")
    api.image("two")

    assert api("DELETE", "/v2/app/manifests/one").status == 202
    assert api("GET", f"/v2/app/manifests/{digest_of(raw)}").status == 200
    assert api("DELETE", f"/v2/app/manifests/{digest_of(raw)}").status == 202
    assert api("GET", "/v2/app/manifests/two").status == 404
    assert api("DELETE", "/v2/app/manifests/two").status == 404


def test_what_is_about_an_image_is_its_referrer(api: Api) -> None:
    raw, _ = api.image("1")
    subject = {"mediaType": MEDIA_MANIFEST, "digest": digest_of(raw), "size": len(raw)}
    config = {**api.blob(b"{}"), "mediaType": EMPTY_CONFIG}
    document = {
        "schemaVersion": 2,
        "mediaType": MEDIA_MANIFEST,
        "artifactType": "application/x-note",
        "config": config,
        "layers": [config],
        "subject": subject,
        "annotations": {"a": "b"},
    }
    note = json.dumps(document).encode()

    put = api("PUT", f"/v2/app/manifests/{digest_of(note)}", note, Content_Type=MEDIA_MANIFEST)
    listed = api("GET", f"/v2/app/referrers/{digest_of(raw)}")
    others = api("GET", f"/v2/app/referrers/{digest_of(raw)}?artifactType=application/x-else")

    assert put.headers["OCI-Subject"] == digest_of(raw)
    assert listed.headers["Content-Type"] == MEDIA_INDEX
    (entry,) = json.loads(listed.data)["manifests"]
    assert (entry["digest"], entry["artifactType"]) == (digest_of(note), "application/x-note")
    assert entry["annotations"] == {"a": "b"}
    assert json.loads(others.data)["manifests"] == []
    assert others.headers["OCI-Filters-Applied"] == "artifactType"


def test_nothing_is_about_what_nobody_speaks_of(api: Api) -> None:
    answer = api("GET", f"/v2/app/referrers/{digest_of(b'x')}")

    assert (answer.status, json.loads(answer.data)["manifests"]) == (200, [])


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /v2/ HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"PUT /v2/app/manifests/1 HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v2/app/blobs/uploads/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET " + b"x" * 100_000,
        b"",
    ],
)
def test_what_is_no_request_harms_nobody(server: RegistryServer, api: Api, sent: bytes) -> None:
    with socket.create_connection(server.server_address[:2], timeout=5) as client:
        with contextlib.suppress(OSError):  # It may have hung up already.
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
        try:
            while client.recv(65_536):
                pass
        except OSError:
            pass

    assert api("GET", "/v2/").status == 200


def test_images_are_there_after_the_server_was_started_again(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        first = Api(server)
        raw, _ = first.image("kept")
        first.pool.clear()
    with served(tmp_path) as server:
        second = Api(server)
        assert second("GET", "/v2/app/manifests/kept").data == raw
        second.pool.clear()
        assert host(server)
