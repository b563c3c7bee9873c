"""A registry that lies, stalls, loops or asks for what is not its own gets an error, and nothing else."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from registry_stub import IMPATIENT, Reply, Request, Stub, dripping, registries, stub

from builder.errors import BuildError, ImageFormatError, RegistryError, UnknownImageError
from builder.image.compression import Limits
from builder.image.compressor import compress
from builder.image.digest import Digest, digest_of
from builder.image.oci import (
    MEDIA_CONFIG,
    MEDIA_DOCKER_LIST,
    MEDIA_INDEX,
    MEDIA_LAYER,
    MEDIA_LAYER_GZIP,
    MEDIA_MANIFEST,
    Descriptor,
    Platform,
    canonical_json,
)
from builder.image.reference import Reference
from builder.stores.memory import MemoryStore
from builder.transport.registry.credentials import Credentials
from builder.transport.registry.endpoint import Routes
from builder.transport.registry.http import Interrupted
from builder.transport.registry.pull import Pulled, pull
from builder.transport.registry.push import push
from builder.transport.registry.repository import Repository
from unionfs_sim import layer
from unionfs_sim.tar.pack import pack

LAYER = b"".join(pack(layer({"/etc/motd": "hello", "/big": "x" * 3000})))
ALICE = Credentials("alice", "s3cret")


@pytest.fixture
def registry() -> Iterator[Stub]:
    with stub() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Stub]:
    with stub() as found:
        yield found


class Client:
    """A client and an empty store."""

    def __init__(self, registry: Stub, **options: object) -> None:
        self.store = MemoryStore()
        self.registry = registry
        self.registries = registries(**options)  # type: ignore[arg-type]

    def pull(self, name: str = "app:1", **options: object) -> Pulled:
        reference = Reference.parse(f"{self.registry.host}/{name}")
        return pull(self.store, self.registries, reference, Platform(), **options)  # type: ignore[arg-type]

    def refuses(self, match: str, kind: type[BuildError] = BuildError, **options: object) -> BuildError:
        """Pulling is an error that says so, and no name has come of it."""
        with pytest.raises(kind, match=match) as caught:
            self.pull(**options)
        assert self.store.resolve(Reference.parse(f"{self.registry.host}/app:1")) is None
        return caught.value


@pytest.fixture
def client(registry: Stub) -> Client:
    registry.image("app", LAYER)
    return Client(registry)


def blob_path(content: bytes) -> str:
    return f"/v2/app/blobs/{digest_of(content)}"


def with_layer(registry: Stub, descriptor: dict[str, object], diff_id: str) -> None:
    """Offer an image with one layer that the test describes."""
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    described = registry.blob("app", canonical_json(config), MEDIA_CONFIG)
    manifest = {"schemaVersion": 2, "mediaType": MEDIA_MANIFEST, "config": described, "layers": [descriptor]}
    registry.manifest("app", "1", manifest)


# ---- an honest one, so that the rest means something ----


def test_an_honest_image_comes_and_has_its_name(client: Client) -> None:
    pulled = client.pull()

    assert client.store.find(Digest(digest_of(LAYER))) is not None
    assert client.store.resolve(Reference.parse(f"{client.registry.host}/app:1")) == pulled.manifest


# ---- bytes that are not what was promised ----


def test_a_layer_with_other_bytes_of_the_same_size_is_refused(client: Client, registry: Stub) -> None:
    registry.table[blob_path(LAYER)] = Reply(body=b"y" * len(LAYER))

    client.refuses("another digest", RegistryError)

    assert client.store.find(digest_of(b"y" * len(LAYER))) is None


def test_a_layer_that_ends_early_is_asked_for_again_and_then_refused(client: Client, registry: Stub) -> None:
    registry.table[blob_path(LAYER)] = Reply(body=LAYER[:-7])

    client.refuses("ends after", Interrupted)

    assert len(registry.asked("GET", blob_path(LAYER))) == IMPATIENT.attempts


def test_a_connection_that_breaks_is_resumed_where_it_broke(client: Client, registry: Stub) -> None:
    def broken(request: Request) -> Reply | None:
        if request.path != blob_path(LAYER):
            return None
        begin = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        part = {"Content-Range": f"bytes {begin}-{len(LAYER) - 1}/{len(LAYER)}"} if begin else {}
        body = LAYER[begin : begin + 4000]
        return Reply(206 if begin else 200, body, part, length=len(LAYER) - begin)

    registry.answering = broken

    client.pull()

    begins = [each.headers.get("Range") for each in registry.asked("GET", blob_path(LAYER))]
    assert begins == [None, *(f"bytes={at}-" for at in range(4000, len(LAYER), 4000))]


def test_a_server_that_cannot_resume_sends_all_again_and_the_rest_is_taken(
    client: Client, registry: Stub
) -> None:
    lengths = iter([4000, len(LAYER)])

    def broken(request: Request) -> Reply | None:
        if request.path != blob_path(LAYER):
            return None
        return Reply(body=LAYER[: next(lengths)], length=len(LAYER))

    registry.answering = broken

    client.pull()


def test_an_endless_layer_is_left_at_its_promised_size(client: Client, registry: Stub) -> None:
    endless = (bytes(65_536) for _ in range(100_000))
    registry.table[blob_path(LAYER)] = Reply(pieces=endless, headers={"Connection": "close"}, length=1 << 40)

    client.refuses("longer than", RegistryError)

    assert sum(1 for _ in endless) > 90_000


def test_a_manifest_of_another_digest_than_was_asked_for_is_refused(client: Client, registry: Stub) -> None:
    wrong = digest_of(b"something else")
    registry.table[f"/v2/app/manifests/{wrong}"] = registry.table["/v2/app/manifests/1"]

    with pytest.raises(RegistryError, match="have the digest"):
        client.pull(f"app@{wrong}")


def test_a_manifest_that_is_not_what_its_header_promises_is_refused(client: Client, registry: Stub) -> None:
    promised = {"Content-Type": MEDIA_MANIFEST, "Docker-Content-Digest": digest_of(b"x")}
    registry.table["/v2/app/manifests/1"] = Reply(
        body=registry.table["/v2/app/manifests/1"].body, headers=promised
    )

    client.refuses("have the digest", RegistryError)


def test_ten_gigabytes_of_manifest_are_not_read(client: Client, registry: Stub) -> None:
    endless = (b" " * 65_536 for _ in range(160_000))
    registry.table["/v2/app/manifests/1"] = Reply(pieces=endless, length=10 << 30)

    client.refuses("longer than 4194304 bytes", RegistryError)

    assert sum(1 for _ in endless) > 150_000


def test_a_config_that_is_larger_than_one_can_be_is_not_fetched(client: Client, registry: Stub) -> None:
    config = {"mediaType": MEDIA_CONFIG, "digest": digest_of(b"c"), "size": 1 << 40}
    manifest = {"schemaVersion": 2, "mediaType": MEDIA_MANIFEST, "config": config, "layers": []}
    registry.manifest("app", "1", manifest)

    client.refuses("larger than", RegistryError)

    assert registry.asked("GET", "/blobs/") == []


def test_a_layer_whose_bytes_have_another_diff_id_is_refused(client: Client, registry: Stub) -> None:
    packed = b"".join(compress([LAYER]))
    with_layer(registry, registry.blob("app", packed, MEDIA_LAYER_GZIP), digest_of(b"else"))

    client.refuses("DiffID", ImageFormatError)


def test_a_layer_that_unpacks_to_too_much_is_refused(client: Client, registry: Stub) -> None:
    bomb = b"".join(compress([bytes(50_000_000)]))
    with_layer(registry, registry.blob("app", bomb, MEDIA_LAYER_GZIP), digest_of(bytes(50_000_000)))

    refused = client.refuses("unpacks to more than 1000000 bytes", limits=Limits(layer_bytes=1_000_000))

    assert "--max-size" in str(refused)


def test_damaged_gzip_is_refused(client: Client, registry: Stub) -> None:
    packed = bytearray(b"".join(compress([LAYER])))
    packed[40] ^= 255
    with_layer(registry, registry.blob("app", bytes(packed), MEDIA_LAYER_GZIP), digest_of(LAYER))

    client.refuses("damaged gzip|DiffID", ImageFormatError)


def test_a_layer_that_is_no_tar_is_refused(client: Client, registry: Stub) -> None:
    with_layer(registry, registry.blob("app", b"no tar" * 1000, MEDIA_LAYER), digest_of(b"no tar" * 1000))

    client.refuses(".", ImageFormatError)


# ---- documents that are none ----


def test_a_page_of_a_captive_portal_is_no_manifest(client: Client, registry: Stub) -> None:
    registry.table["/v2/app/manifests/1"] = Reply(
        body=b"<html>log in to the wifi", headers={"Content-Type": "text/html"}
    )

    client.refuses("is it a registry", RegistryError)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"mediaType": MEDIA_MANIFEST, "manifests": [], "layers": [], "config": {}}, "at once"),
        ({"mediaType": MEDIA_INDEX, "manifests": [], "layers": []}, "at once"),
        ({"mediaType": MEDIA_DOCKER_LIST, "manifests": [], "config": {}}, "at once"),
        ({"mediaType": MEDIA_MANIFEST}, "needs 'config'"),
        ({"mediaType": MEDIA_INDEX, "manifests": [{"digest": "sha256:0"}]}, "size"),
        ({"mediaType": MEDIA_INDEX, "manifests": []}, "no image for linux/amd64"),
        ({"mediaType": "application/x-else"}, "not an image: media type"),
        ({"mediaType": MEDIA_MANIFEST, "schemaVersion": 1}, "schemaVersion"),
        ({"mediaType": 7}, "must be a string"),
    ],
)
def test_a_document_that_is_wrong_is_refused_by_what_is_wrong(
    client: Client, registry: Stub, document: dict[str, object], said: str
) -> None:
    registry.manifest("app", "1", {"schemaVersion": 2, **document})

    client.refuses(said)


def test_docker_s_schema_1_is_refused_by_its_name(client: Client, registry: Stub) -> None:
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    registry.table["/v2/app/manifests/1"] = Reply(
        body=b'{"schemaVersion": 1}', headers={"Content-Type": kind}
    )

    client.refuses("schema 1", RegistryError)


def test_an_artifact_is_no_image(client: Client, registry: Stub) -> None:
    config = registry.blob("app", b"{}", "application/vnd.oci.empty.v1+json")
    registry.manifest(
        "app", "1", {"schemaVersion": 2, "mediaType": MEDIA_MANIFEST, "config": config, "layers": []}
    )

    client.refuses("an artifact", ImageFormatError)


def test_an_unknown_layer_type_is_refused_before_anything_is_fetched(client: Client, registry: Stub) -> None:
    with_layer(registry, registry.blob("app", LAYER, "application/x-squashfs"), digest_of(LAYER))

    client.refuses("unknown media type", ImageFormatError)

    assert registry.asked("GET", blob_path(LAYER)) == []


def test_indexes_that_lie_in_each_other_for_ever_end(client: Client, registry: Stub) -> None:
    raw = registry.table["/v2/app/manifests/1"].body
    kind = MEDIA_MANIFEST
    for depth in range(9):
        entry = {"mediaType": kind, "digest": digest_of(raw), "size": len(raw)}
        document = {"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": [entry]}
        raw, kind = registry.manifest("app", "1" if depth == 8 else f"x{depth}", document), MEDIA_INDEX

    client.refuses("too deep", ImageFormatError)


def test_an_index_that_says_another_size_than_its_manifest_has_is_refused(
    client: Client, registry: Stub
) -> None:
    raw = registry.table["/v2/app/manifests/1"].body
    entry = {"mediaType": MEDIA_MANIFEST, "digest": digest_of(raw), "size": len(raw) + 1}
    registry.manifest("app", "1", {"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": [entry]})

    client.refuses("the index says", ImageFormatError)


def test_a_blob_that_is_not_there_is_said_to_be_missing(client: Client, registry: Stub) -> None:
    registry.table[blob_path(LAYER)] = Reply(404, b'{"errors":[{"code":"BLOB_UNKNOWN","message":"gone"}]}')

    client.refuses("404: BLOB_UNKNOWN gone", RegistryError)


def test_an_image_that_is_not_there_is_unknown(client: Client) -> None:
    with pytest.raises(UnknownImageError, match="no image"):
        client.pull("nothing:1")


def test_what_a_registry_says_cannot_grow_without_end_in_an_error(client: Client, registry: Stub) -> None:
    said = json.dumps({"errors": [{"code": "X", "message": "m" * 50_000}]}).encode()
    registry.table[blob_path(LAYER)] = Reply(400, said)

    assert len(str(client.refuses("400", RegistryError))) < 1000


# ---- time ----


def test_a_server_that_never_answers_is_left(client: Client, registry: Stub) -> None:
    registry.answering = lambda _: time.sleep(2) or None

    client.refuses("stalls|broke", Interrupted)


def test_a_body_that_stops_coming_is_left(client: Client, registry: Stub) -> None:
    def stalling() -> Iterator[bytes]:
        yield LAYER[:100]
        time.sleep(2)

    def answering(request: Request) -> Reply | None:
        if request.path != blob_path(LAYER):
            return None
        if "Range" not in request.headers:
            return Reply(pieces=stalling(), length=len(LAYER))
        return Reply(206, pieces=dripping(seconds=1), length=9, headers={"Content-Range": "bytes 100-"})

    registry.answering = answering

    client.refuses("stalls|broke", Interrupted)


def test_a_body_that_trickles_is_left(client: Client, registry: Stub) -> None:
    registry.table["/v2/app/manifests/1"] = Reply(pieces=dripping(seconds=0.05), length=10_000)

    begin = time.monotonic()
    client.refuses("bytes in", Interrupted)

    assert time.monotonic() - begin < 10


def test_a_head_that_trickles_is_left() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"

    def trickle(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                for _ in range(200):
                    time.sleep(0.1)
                    connection.sendall(b"x")
            except OSError:
                pass

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=trickle, args=[connection], daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    http = registries().http
    try:
        begin = time.monotonic()
        with pytest.raises(Interrupted):
            http.request("GET", f"http://{host}/v2/", attempts=1)
        assert time.monotonic() - begin < 5
    finally:
        listener.close()


def test_a_busy_registry_is_asked_again_after_the_time_it_names(client: Client, registry: Stub) -> None:
    slept: list[float] = []
    client.registries.http._sleep = slept.append
    answers = iter([Reply(429, headers={"Retry-After": "1"}), Reply(503, headers={"Retry-After": "1"}), None])
    registry.answering = lambda request: next(answers, None) if "manifests" in request.path else None

    client.pull()

    assert slept == [1, 1]


def test_a_registry_that_asks_for_a_year_of_patience_is_not_obeyed(client: Client, registry: Stub) -> None:
    registry.answering = lambda _: Reply(429, headers={"Retry-After": "31536000"})

    client.refuses("asks to come back", RegistryError)

    assert len(registry.asked("GET", "manifests")) == 1


def test_a_retry_after_that_is_nonsense_is_ignored(client: Client, registry: Stub) -> None:
    answers = iter([Reply(503, headers={"Retry-After": "soon"}), None])
    registry.answering = lambda request: next(answers, None) if "manifests" in request.path else None

    client.pull()


# ---- redirects ----


def test_a_redirect_to_itself_ends(client: Client, registry: Stub) -> None:
    registry.answering = lambda request: Reply(307, headers={"Location": request.path})

    client.refuses("redirects", RegistryError)

    assert len(registry.requests) < 20


@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://", "http://[::1", "//"])
def test_a_redirect_to_what_is_no_web_address_is_refused(client: Client, registry: Stub, place: str) -> None:
    registry.answering = lambda request: (
        Reply(302, headers={"Location": place}) if "/blobs/" in request.path else None
    )

    client.refuses(".", RegistryError)


def test_a_blob_may_lie_on_another_host_which_never_sees_who_we_are(registry: Stub, other: Stub) -> None:
    registry.image("app", LAYER)
    other.table["/elsewhere"] = Reply(body=LAYER)

    def answering(request: Request) -> Reply | None:
        if "Authorization" not in request.headers:
            return Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
        if request.path == blob_path(LAYER):
            return Reply(307, headers={"Location": f"{other.url}/elsewhere"})
        return None

    registry.answering = answering

    Client(registry, known={registry.host: ALICE, other.host: ALICE}).pull()

    assert [each.headers.get("Authorization") for each in other.requests] == [None]


def test_another_host_that_asks_for_a_password_after_a_redirect_gets_none(
    registry: Stub, other: Stub
) -> None:
    registry.image("app", LAYER)
    other.answering = lambda _: Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})

    def answering(request: Request) -> Reply | None:
        if "Authorization" not in request.headers:
            return Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
        if request.path == blob_path(LAYER):
            return Reply(307, headers={"Location": f"{other.url}/elsewhere"})
        return None

    registry.answering = answering

    Client(registry, known={registry.host: ALICE, other.host: ALICE}).refuses("answers 401", RegistryError)

    assert all("Authorization" not in each.headers for each in other.requests)


# ---- who is asked for what ----


def test_a_registry_that_refuses_the_right_password_is_not_asked_for_ever(
    client: Client, registry: Stub
) -> None:
    registry.answering = lambda _: Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})

    refused = Client(registry, known={registry.host: ALICE}).refuses("access is refused", RegistryError)

    assert len(registry.requests) < 10
    assert "s3cret" not in str(refused)


def test_a_registry_that_refuses_its_own_tokens_is_not_asked_for_ever(client: Client, registry: Stub) -> None:
    challenge = f'Bearer realm="{registry.url}/token",service="s"'

    def answering(request: Request) -> Reply:
        if request.path.startswith("/token"):
            return Reply(body=b'{"token": "t"}')
        return Reply(401, headers={"WWW-Authenticate": challenge})

    registry.answering = answering

    client.refuses("access is refused", RegistryError)

    assert len(registry.requests) < 15


@pytest.mark.parametrize("challenge", ["", "Negotiate", "Bearer", 'Bearer realm="', "Basic" * 5000, ",,,=,"])
def test_a_challenge_that_cannot_be_understood_is_an_error(
    client: Client, registry: Stub, challenge: str
) -> None:
    registry.answering = lambda _: Reply(401, headers={"WWW-Authenticate": challenge})

    client.refuses(".", RegistryError)


def test_a_token_is_asked_for_anonymously_with_our_scope_and_not_with_theirs(
    client: Client, registry: Stub
) -> None:
    challenge = f'Bearer realm="{registry.url}/token?x=1",service="s",scope="repository:bank:push"'

    def answering(request: Request) -> Reply | None:
        if request.path.startswith("/token"):
            return Reply(body=b'{"access_token": "t", "expires_in": 300}')
        if request.headers.get("Authorization") != "Bearer t":
            return Reply(401, headers={"WWW-Authenticate": challenge})
        return None

    registry.answering = answering

    client.pull()

    (asked,) = registry.asked("GET", "/token")
    assert asked.path == "/token?x=1&service=s&scope=repository%3Aapp%3Apull"
    assert "Authorization" not in asked.headers


def test_a_token_that_has_expired_is_asked_for_again(client: Client, registry: Stub) -> None:
    tokens = iter(range(100))
    good: list[str] = []

    def answering(request: Request) -> Reply | None:
        if request.path.startswith("/token"):
            good.append(f"t{next(tokens)}")
            return Reply(body=json.dumps({"token": good[-1]}).encode())
        if (
            not good
            or request.headers.get("Authorization") != f"Bearer {good[-1]}"
            or len(registry.requests) == 4
        ):
            return Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{registry.url}/token"'})
        return None

    registry.answering = answering

    client.pull()

    assert len(good) == 2


def test_a_password_is_not_sent_to_a_token_server_of_another_domain(registry: Stub) -> None:
    """127.0.0.1 and localhost are two hosts, and neither is a part of the other."""
    registry.image("app", LAYER)
    elsewhere = registry.url.replace("127.0.0.1", "localhost")
    registry.answering = lambda request: (
        Reply(body=b'{"token": "t"}') if "token" in request.path
        else Reply(401, headers={"WWW-Authenticate": f'Bearer realm="{elsewhere}/token"'})
    )  # fmt: skip

    Client(registry, known={registry.host: ALICE}).refuses("another domain", RegistryError)

    assert registry.asked("GET", "/token") == []


def test_credentials_for_one_registry_are_not_used_for_another(registry: Stub) -> None:
    registry.image("app", LAYER)
    registry.answering = lambda _: Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})

    Client(registry, known={"other.example": ALICE}).refuses("asks for a user name", RegistryError)

    assert all("Authorization" not in each.headers for each in registry.requests)


def test_an_identity_token_is_exchanged_for_an_access_token(registry: Stub) -> None:
    registry.image("app", LAYER)

    def answering(request: Request) -> Reply | None:
        if request.path == "/token":
            return Reply(body=b'{"access_token": "t"}')
        if request.headers.get("Authorization") != "Bearer t":
            return Reply(
                401, headers={"WWW-Authenticate": f'Bearer realm="{registry.url}/token",service="s"'}
            )
        return None

    registry.answering = answering

    Client(registry, known={registry.host: Credentials("<token>", "refresh", is_identity_token=True)}).pull()

    (asked,) = registry.asked("POST", "/token")
    assert b"grant_type=refresh_token" in asked.body and b"refresh_token=refresh" in asked.body


def test_foreign_layers_come_from_where_they_say_without_our_credentials(registry: Stub, other: Stub) -> None:
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    packed = b"".join(compress([LAYER]))
    descriptor = {**other.blob("x", packed, kind), "urls": [f"{other.url}/layer"]}
    other.table["/layer"] = Reply(body=packed)
    with_layer(registry, descriptor, digest_of(LAYER))
    registry.answering = lambda request: (
        None
        if "Authorization" in request.headers
        else Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
    )

    Client(registry, known={registry.host: ALICE, other.host: ALICE}).pull()

    assert [each.headers.get("Authorization") for each in other.asked("GET", "/layer")] == [None]


def test_a_foreign_layer_is_handed_on_as_an_address_and_never_sent(registry: Stub, other: Stub) -> None:
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    packed = b"".join(compress([LAYER]))
    descriptor = {**other.blob("x", packed, kind), "urls": [f"{other.url}/layer"]}
    other.table["/layer"] = Reply(body=packed)
    with_layer(registry, descriptor, digest_of(LAYER))
    client = Client(registry)
    pulled = client.pull()
    other.answering = lambda request: {
        "HEAD": Reply(404),
        "POST": Reply(202, headers={"Location": "/upload"}),
        "PUT": Reply(201),
    }.get(request.method)

    push(client.store, client.registries, pulled.manifest, Reference.parse(f"{other.host}/copy:1"))

    uploaded = [request for request in other.asked("PUT") if "upload" in request.path]
    (manifest,) = other.asked("PUT", "/manifests/1")
    assert [request.body for request in uploaded] == [pulled.image.config_bytes()]
    assert json.loads(manifest.body)["layers"] == [descriptor]


def test_a_foreign_layer_whose_host_asks_for_a_password_gets_none(registry: Stub, other: Stub) -> None:
    """CVE-2020-15157 in containerd."""
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    packed = b"".join(compress([LAYER]))
    with_layer(registry, {**other.blob("x", packed, kind), "urls": [f"{other.url}/layer"]}, digest_of(LAYER))
    other.answering = lambda _: Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
    registry.answering = lambda request: (
        None
        if "Authorization" in request.headers
        else Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
    )

    Client(registry, known={registry.host: ALICE, other.host: ALICE}).refuses("401", RegistryError)

    assert all("Authorization" not in each.headers for each in other.requests)


# ---- mirrors ----


def mirrored(other: Stub, registry: Stub) -> Routes:
    return Routes.parse([f"{registry.host}={other.url}"])


def test_a_mirror_is_asked_first_and_gets_no_credentials_of_the_registry(registry: Stub, other: Stub) -> None:
    registry.image("app", LAYER)
    other.image("app", LAYER)

    Client(registry, routes=mirrored(other, registry), known={registry.host: ALICE}).pull()

    assert registry.asked("GET", "/app/") == []
    assert all("Authorization" not in each.headers for each in other.requests)


def test_what_a_mirror_lacks_or_spoils_comes_from_the_registry(registry: Stub, other: Stub) -> None:
    registry.image("app", LAYER)
    other.image("app", LAYER)
    other.table[blob_path(LAYER)] = Reply(body=b"z" * len(LAYER))

    Client(registry, routes=mirrored(other, registry)).pull()

    assert len(registry.asked("GET", blob_path(LAYER))) == 1


# ---- uploads ----


def repository(registry: Stub) -> Repository:
    return registries().to_push(registry.host, "app")


def test_an_upload_that_is_answered_from_another_host_goes_there_without_credentials(
    registry: Stub, other: Stub
) -> None:
    other.answering = lambda request: Reply(202 if request.method == "PATCH" else 201)

    def answering(request: Request) -> Reply:
        if "Authorization" not in request.headers:
            return Reply(401, headers={"WWW-Authenticate": "Basic realm=x"})
        return Reply(202, headers={"Location": f"{other.url}/upload"})

    registry.answering = answering

    registries({registry.host: ALICE, other.host: ALICE}).to_push(registry.host, "app").upload(
        lambda: iter([b"x"])
    )

    assert [each.headers.get("Authorization") for each in other.asked("PUT")] == [None]


def test_an_upload_that_the_registry_loses_is_begun_anew(registry: Stub) -> None:
    states = iter([404, 201])
    registry.answering = lambda request: Reply(
        202 if request.method == "POST" else next(states), headers={"Location": "/upload?state=1"}
    )

    sent = repository(registry).upload(lambda: iter([b"he", b"llo"]))

    assert sent == Descriptor("", digest_of(b"hello"), 5)
    assert len(registry.asked("POST")) == 2
    assert (
        registry.asked("PUT")[0].path == f"/upload?state=1&digest={digest_of(b'hello').replace(':', '%3A')}"
    )


def test_an_upload_that_is_never_taken_ends(registry: Stub) -> None:
    registry.answering = lambda request: Reply(
        202 if request.method == "POST" else 500, headers={"Location": "/upload"}
    )

    with pytest.raises(RegistryError):
        repository(registry).upload(lambda: iter([b"hello"]))


def test_a_list_of_tags_that_never_ends_ends(registry: Stub) -> None:
    link = {"Link": '</v2/app/tags/list?n=1000>; rel="next"'}
    registry.answering = lambda _: Reply(body=b'{"tags": ["1"]}', headers=link)

    with pytest.raises(RegistryError, match="pages"):
        repository(registry).tags()


def test_a_list_of_tags_that_goes_on_at_another_host_is_refused(registry: Stub, other: Stub) -> None:
    link = {"Link": f'<{other.url}/v2/app/tags/list>; rel="next"'}
    registry.answering = lambda _: Reply(body=b'{"tags": ["1"]}', headers=link)

    with pytest.raises(RegistryError, match="another server"):
        repository(registry).tags()
    assert other.requests == []
