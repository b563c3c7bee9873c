"""A registry that does what a test tells it: answers from a table or by a function, and remembers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from builder.image.digest import digest_of
from builder.image.oci import MEDIA_CONFIG, MEDIA_LAYER, MEDIA_MANIFEST, canonical_json
from builder.transport.registry.credentials import Credentials, Keyring
from builder.transport.registry.endpoint import Routes
from builder.transport.registry.http import Patience
from builder.transport.registry.repository import Registries

IMPATIENT = Patience(
    connect=2, answer=0.6, silence=0.3, attempts=3, pause=0.001, longest_pause=1, slowest=512
)


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """``pieces``: the body as it is sent, with pauses if it likes; ``length``: what is promised."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: Iterable[bytes] | None = None
    length: int | None = None


Answering = Callable[[Request], Reply | None]


class Stub:
    """``table``: path → reply. ``answering``: asked first; None leaves it to the table, and that to a 404."""

    def __init__(self, port_of: ThreadingHTTPServer) -> None:
        self.table: dict[str, Reply] = {}
        self.answering: Answering = lambda _: None
        self.requests: list[Request] = []
        self.host = f"127.0.0.1:{port_of.server_address[1]}"
        self.url = f"http://{self.host}"

    def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        return self.answering(request) or self.table.get(request.path) or Reply(404)

    def asked(self, method: str, part: str = "") -> list[Request]:
        return [each for each in self.requests if each.method == method and part in each.path]

    def image(self, name: str, *layers: bytes, tag: str = "1", media_type: str = MEDIA_LAYER) -> bytes:
        """Offer an image of plain layers; its manifest."""
        descriptors = [self.blob(name, layer, media_type) for layer in layers]
        config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MEDIA_MANIFEST,
            "config": self.blob(name, canonical_json(config), MEDIA_CONFIG),
            "layers": descriptors,
        }
        return self.manifest(name, tag, manifest)

    def blob(self, name: str, content: bytes, media_type: str) -> dict[str, object]:
        """Offer a blob; its descriptor."""
        digest = digest_of(content)
        self.table[f"/v2/{name}/blobs/{digest}"] = Reply(body=content)
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def manifest(self, name: str, tag: str, document: Mapping[str, object]) -> bytes:
        """Offer a manifest or an index under a tag and its digest; its bytes."""
        raw = json.dumps(document).encode()
        headers = {"Content-Type": str(document["mediaType"]), "Docker-Content-Digest": digest_of(raw)}
        for reference in (tag, digest_of(raw)):
            self.table[f"/v2/{name}/manifests/{reference}"] = Reply(body=raw, headers=headers)
        return raw


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub that serves on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:
            pass

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = found.reply(Request(self.command, self.path, dict(self.headers), body))
            self.send_response(reply.status)
            length = len(reply.body) if reply.length is None else reply.length
            for name, value in {"Content-Length": str(length), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            try:
                for piece in (reply.body,) if reply.pieces is None else reply.pieces:
                    self.wfile.write(piece)
            except OSError:
                pass
            if reply.length is not None or reply.pieces is not None:
                self.close_connection = True

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    found = Stub(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def dripping(piece: bytes = b"x", *, seconds: float = 0.1, count: int = 300) -> Iterator[bytes]:
    """A byte now and then."""
    for _ in range(count):
        time.sleep(seconds)
        yield piece


class KnownKeyring(Keyring):
    """Credentials that a test gives."""

    def __init__(self, known: Mapping[str, Credentials] | None = None) -> None:
        super().__init__("/nowhere")
        self.known = known or {}

    def find(self, registry: str) -> Credentials | None:
        return self.known.get(registry)


def registries(
    known: Mapping[str, Credentials] | None = None,
    *,
    routes: Routes | None = None,
    patience: Patience = IMPATIENT,
) -> Registries:
    """A client without patience, which sleeps through no pause."""
    made = Registries(routes or Routes(), KnownKeyring(known), patience=patience, sleep=lambda _: None)
    OPENED.append(made)
    return made


OPENED: list[Registries] = []
"""What tests opened; their conftest closes it."""
