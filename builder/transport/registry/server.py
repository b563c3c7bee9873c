"""A small registry: push, pull, mount, uploads in pieces, deletion, lists and referrers.

OCI distribution-spec 1.1 ``spec.md``. It has no users and no TLS: it is for this machine, tests and lessons.
"""

from __future__ import annotations

import json
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, BinaryIO, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from builder.errors import BuildError, ImageFormatError, StoreError
from builder.image.digest import Digest, parse_digest
from builder.image.oci import MAX_DOCUMENT_BYTES, MEDIA_INDEX
from builder.transport.registry.shelf import Refusal, Shelf

_PIECE_BYTES: Final = 1 << 18
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME: Final = rf"(?P<name>{_COMPONENT}(?:/{_COMPONENT})*)"
_SILENCE_SECONDS: Final = 60
_UPLOAD_SECONDS: Final = 3600
_MAX_UPLOADS: Final = 256
_MAX_BLOB_BYTES: Final = 16 << 30
_PAGE: Final = 1000


@dataclass(slots=True)
class _Upload:
    """Bytes that have come so far, in a file that has no name."""

    file: BinaryIO
    touched: float
    size: int = 0
    hasher: Any = field(default_factory=sha256)
    lock: threading.Lock = field(default_factory=threading.Lock)


class RegistryServer(ThreadingHTTPServer):
    """Serves a shelf until it is shut down.

    ``scratch``: the directory in which uploads lie, without a name, while they come.
    """

    daemon_threads = True

    def __init__(
        self,
        shelf: Shelf,
        *,
        scratch: str,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str], None] = lambda _: None,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self.shelf = shelf
        self.log = log
        self._scratch = scratch
        self._seconds = seconds
        self._uploads: dict[str, _Upload] = {}
        self._lock = threading.Lock()
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where it is."""
        host, port = self.server_address[:2]
        shown = host.decode() if isinstance(host, (bytes, bytearray)) else str(host)
        return f"http://{shown}:{port}"

    def server_close(self) -> None:
        """Let go of the socket and of unfinished uploads."""
        super().server_close()
        with self._lock:
            for upload in self._uploads.values():
                upload.file.close()
            self._uploads.clear()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""

    # ---- uploads ----

    def begin(self) -> str:
        """The name of a new upload; Refusal if there are too many."""
        now = self._seconds()
        with self._lock:
            for name, upload in list(self._uploads.items()):
                if now - upload.touched > _UPLOAD_SECONDS:
                    self._uploads.pop(name).file.close()
            if len(self._uploads) >= _MAX_UPLOADS:
                raise Refusal(429, "TOOMANYREQUESTS", "too many unfinished uploads")
            name = str(uuid.uuid4())
            file = tempfile.TemporaryFile(dir=self._scratch)  # noqa: SIM115 - closed when it is forgotten
            self._uploads[name] = _Upload(file, now)
            return name

    def upload(self, name: str) -> _Upload:
        """An unfinished upload; Refusal if there is none of that name."""
        with self._lock:
            found = self._uploads.get(name)
            if found is None:
                raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", f"no such upload: {name}")
            found.touched = self._seconds()
            return found

    def forget(self, name: str) -> None:
        """The upload is over."""
        with self._lock:
            upload = self._uploads.pop(name, None)
        if upload is not None:
            upload.file.close()


class _Handler(BaseHTTPRequestHandler):
    server: RegistryServer
    protocol_version = "HTTP/1.1"
    server_version = "layerlab"
    sys_version = ""
    timeout = _SILENCE_SECONDS
    disable_nagle_algorithm = True

    routes: ClassVar[list[tuple[str, str, str]]] = [
        ("GET HEAD", r"/v2/?", "_api"),
        ("GET", r"/v2/_catalog", "_catalog"),
        ("GET", rf"/v2/{_NAME}/tags/list", "_tags"),
        ("GET HEAD", rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)", "_get_manifest"),
        ("PUT", rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)", "_put_manifest"),
        ("DELETE", rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)", "_delete_manifest"),
        ("GET", rf"/v2/{_NAME}/referrers/(?P<digest>[^/]+)", "_referrers"),
        ("POST", rf"/v2/{_NAME}/blobs/uploads/?", "_begin_upload"),
        ("GET", rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[0-9a-f-]+)", "_upload_status"),
        ("PATCH", rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[0-9a-f-]+)", "_upload_part"),
        ("PUT", rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[0-9a-f-]+)", "_finish_upload"),
        ("DELETE", rf"/v2/{_NAME}/blobs/uploads/(?P<upload>[0-9a-f-]+)", "_cancel_upload"),
        ("GET HEAD", rf"/v2/{_NAME}/blobs/(?P<digest>[^/]+)", "_get_blob"),
    ]

    def log_message(self, format: str, *args: object) -> None:
        self.server.log(format % args)

    def log_error(self, format: str, *args: object) -> None:
        """A request that is none, as of clients that try TLS first, is no news."""

    def log_request(self, code: object = "-", size: object = "-") -> None:  # noqa: ARG002
        self.server.log(
            f"{self.command} {self.path} {int(str(int(code))) if isinstance(code, int) else code}"
        )

    def _do(self) -> None:
        parts = urlsplit(self.path)
        self.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._body_is_read = False
        try:
            self._route(parts.path)
        except Refusal as refusal:
            self._refuse(refusal)
        except ImageFormatError as error:
            self._refuse(Refusal(400, "DIGEST_INVALID", error.what))
        except StoreError as error:
            self._refuse(Refusal(500, "UNKNOWN", error.what))

    do_GET = _do  # noqa: N815 - the names that the base class calls
    do_HEAD = _do  # noqa: N815
    do_PUT = _do  # noqa: N815
    do_POST = _do  # noqa: N815
    do_PATCH = _do  # noqa: N815
    do_DELETE = _do  # noqa: N815

    def _route(self, path: str) -> None:
        allowed = False
        for methods, pattern, handler in self.routes:
            if match := re.fullmatch(pattern, path):
                if self.command in methods.split():
                    getattr(self, handler)(**match.groupdict())
                    return
                allowed = True
        if allowed:
            raise Refusal(405, "UNSUPPORTED", "this is not done here")
        raise Refusal(404, "NAME_INVALID", "no such place")

    # ---- answers ----

    def _answer(self, status: int, body: bytes = b"", /, **headers: str) -> None:
        self.send_response(status)
        if not self._body_is_read and self._has_body():
            # What is left of the request would be taken for the next one.
            self.send_header("Connection", "close")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            self.send_header(name, value)
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, document: object, **headers: str) -> None:
        self._answer(200, json.dumps(document).encode(), **{"Content_Type": "application/json", **headers})

    def _refuse(self, refusal: Refusal) -> None:
        document = {"errors": [{"code": refusal.code, "message": refusal.what}]}
        body = json.dumps(document).encode()
        self._answer(refusal.status, body, Content_Type="application/json")

    def _has_body(self) -> bool:
        return "Transfer-Encoding" in self.headers or self.headers.get("Content-Length", "0") != "0"

    # ---- bodies ----

    def _body(self, limit: int) -> Iterator[bytes]:
        """The request's body as it comes; Refusal if it is longer than ``limit`` bytes."""
        count = 0
        pieces = self._chunks() if "chunked" in self.headers.get("Transfer-Encoding", "") else self._plain()
        for piece in pieces:
            count += len(piece)
            if count > limit:
                raise Refusal(413, "SIZE_INVALID", f"more than {limit} bytes")
            yield piece
        self._body_is_read = True

    def _plain(self) -> Iterator[bytes]:
        written = self.headers.get("Content-Length", "0")
        if not written.isdigit():
            raise Refusal(400, "SIZE_INVALID", "Content-Length is no number")
        yield from self._exactly(int(written))

    def _exactly(self, count: int) -> Iterator[bytes]:
        while count:
            piece = self.rfile.read(min(count, _PIECE_BYTES))
            if not piece:
                raise ConnectionError("the client went away")
            count -= len(piece)
            yield piece

    def _chunks(self) -> Iterator[bytes]:
        """A chunked body (RFC 9112, 7.1), which ``http.server`` leaves to us."""
        while True:
            line = self.rfile.readline(1024)
            size = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,16}", size):
                raise ConnectionError("not a chunk")
            if int(size, 16) == 0:
                while self.rfile.readline(1024) not in (b"\r\n", b"\n", b""):
                    pass
                return
            yield from self._exactly(int(size, 16))
            self.rfile.readline(1024)

    # ---- the API ----

    def _api(self) -> None:
        self._json({})

    def _catalog(self) -> None:
        self._json({"repositories": self._page(self.server.shelf.repositories(), "/v2/_catalog")})

    def _tags(self, name: str) -> None:
        listed = self.server.shelf.tags(name)
        headers: dict[str, str] = {}
        page = self._page(listed, f"/v2/{name}/tags/list", headers)
        self._json({"name": name, "tags": page}, **headers)

    def _page(self, listed: list[str], path: str, headers: dict[str, str] | None = None) -> list[str]:
        last = self.query.get("last", "")
        written = self.query.get("n", str(_PAGE))
        count = min(int(written), _PAGE) if written.isdigit() else _PAGE
        rest = [each for each in listed if each > last]
        if len(rest) > count > 0 and headers is not None:
            headers["Link"] = f'<{path}?n={count}&last={rest[count - 1]}>; rel="next"'
        return rest[:count]

    def _get_manifest(self, name: str, reference: str) -> None:
        found = self.server.shelf.manifest(name, reference)
        with self.server.shelf.open(found.digest) as stream:
            raw = stream.read(MAX_DOCUMENT_BYTES)
        self._answer(200, raw, Content_Type=found.media_type, Docker_Content_Digest=found.digest)

    def _put_manifest(self, name: str, reference: str) -> None:
        raw = b"".join(self._body(MAX_DOCUMENT_BYTES))
        said = self.headers.get("Content-Type", "").partition(";")[0].strip()
        accepted = self.server.shelf.put_manifest(name, reference, said, raw)
        digest = accepted.descriptor.digest
        headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker_Content_Digest": str(digest)}
        if accepted.subject is not None:
            headers["OCI_Subject"] = accepted.subject
        self._answer(201, **headers)

    def _delete_manifest(self, name: str, reference: str) -> None:
        self.server.shelf.delete(name, reference)
        self._answer(202)

    def _referrers(self, name: str, digest: str) -> None:
        kind = self.query.get("artifactType")
        index = self.server.shelf.referrers(name, parse_digest(digest), kind)
        filtered = {"OCI_Filters_Applied": "artifactType"} if kind is not None else {}
        self._answer(200, index.to_bytes(), Content_Type=MEDIA_INDEX, **filtered)

    # ---- blobs ----

    def _get_blob(self, name: str, digest: str) -> None:  # noqa: ARG002 - blobs are shared
        found = self.server.shelf.blob(parse_digest(digest))
        begin, end, status = self._range(found.size)
        self.send_response(status)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(end - begin))
        self.send_header("Docker-Content-Digest", found.digest)
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {begin}-{end - 1}/{found.size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            with self.server.shelf.open(found.digest) as stream:
                if begin:
                    stream.seek(begin)
                left = end - begin
                while left and (piece := stream.read(min(left, _PIECE_BYTES))):
                    self.wfile.write(piece)
                    left -= len(piece)
        except BuildError as error:  # The head has been sent: all that can be done is to end too early.
            self.server.log(str(error))
            self.close_connection = True

    def _range(self, size: int) -> tuple[int, int, int]:
        """The part that is asked for (RFC 9110, 14.2), and the status of the answer."""
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None or not any(match.groups()):
            return 0, size, 200
        first, last = match.groups()
        if not first:
            return max(size - int(last), 0), size, 206
        begin, end = int(first), min(int(last) + 1, size) if last else size
        if begin >= size or end <= begin:
            raise Refusal(416, "BLOB_UPLOAD_INVALID", f"the blob has {size} bytes")
        return begin, end, 206

    def _begin_upload(self, name: str) -> None:
        mount = self.query.get("mount")
        if mount is not None and self.server.shelf.has(parse_digest(mount)):
            b"".join(self._body(_PIECE_BYTES))
            self._answer(201, Location=f"/v2/{name}/blobs/{mount}", Docker_Content_Digest=mount)
            return
        upload = self.server.begin()
        if "digest" in self.query:
            self._finish_upload(name, upload)
            return
        b"".join(self._body(_PIECE_BYTES))
        self._progress(202, name, upload, 0)

    def _progress(self, status: int, name: str, upload: str, size: int) -> None:
        self._answer(
            status,
            Location=f"/v2/{name}/blobs/uploads/{upload}",
            Range=f"0-{max(size - 1, 0)}",
            Docker_Upload_UUID=upload,
        )

    def _upload_status(self, name: str, upload: str) -> None:
        self._progress(204, name, upload, self.server.upload(upload).size)

    def _upload_part(self, name: str, upload: str) -> None:
        found = self.server.upload(upload)
        with found.lock:
            self._take(found)
        self._progress(202, name, upload, found.size)

    def _take(self, upload: _Upload) -> None:
        match = re.fullmatch(r"(?:bytes )?(\d+)-(\d+)(?:/.*)?", self.headers.get("Content-Range", ""))
        if match is not None and int(match[1]) != upload.size:
            raise Refusal(416, "BLOB_UPLOAD_INVALID", f"the next byte is number {upload.size}")
        for piece in self._body(_MAX_BLOB_BYTES - upload.size):
            upload.file.write(piece)
            upload.hasher.update(piece)
            upload.size += len(piece)

    def _finish_upload(self, name: str, upload: str) -> None:
        digest = parse_digest(self.query.get("digest"))
        found = self.server.upload(upload)
        with found.lock:
            self._take(found)
            if f"sha256:{found.hasher.hexdigest()}" != digest:
                self.server.forget(upload)
                raise Refusal(400, "DIGEST_INVALID", "the bytes have another digest")
            found.file.seek(0)
            self.server.shelf.put(iter(lambda: found.file.read(_PIECE_BYTES), b""))
        self.server.forget(upload)
        self._answer(201, Location=f"/v2/{name}/blobs/{digest}", Docker_Content_Digest=Digest(digest))

    def _cancel_upload(self, name: str, upload: str) -> None:  # noqa: ARG002
        self.server.upload(upload)
        self.server.forget(upload)
        self._answer(204)
