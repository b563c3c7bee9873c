"""One repository of one server: its manifests, blobs, uploads, tags and referrers.

OCI distribution-spec ``spec.md``, "Endpoints". What comes is verified here, before anybody sees its end.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from builder.errors import ImageFormatError, RegistryError
from builder.image.digest import Digest, digest_of
from builder.image.oci import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    MAX_DOCUMENT_BYTES,
    MEDIA_INDEX,
    MEDIA_MANIFEST,
    Descriptor,
    Index,
    parse_json,
    text,
)
from builder.transport.registry.authority import Authority
from builder.transport.registry.credentials import Keys
from builder.transport.registry.endpoint import Endpoint, Origin, Routes
from builder.transport.registry.http import Answer, Http, Interrupted, NoTLS, Patience, Proxies, joined, shown

SCHEMA_1: Final = frozenset(
    [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    ]
)
CHUNK_BYTES: Final = 8 << 20
"""How much of an upload is sent in one request, and held in memory to be sent again."""

_MAX_CHUNK_BYTES: Final = 64 << 20
_ACCEPT: Final = ", ".join(sorted(MANIFEST_TYPES | INDEX_TYPES))
_MAX_PAGES: Final = 200
_OCTETS: Final = {"Content-Type": "application/octet-stream"}
_LOGINS: Final = 2
"""How often a request is made again because of a 401: once for a token, once for one that has expired."""


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or an index as it came: what it says it is, and its bytes."""

    descriptor: Descriptor
    raw: bytes


class Registries:
    """All servers that one command speaks to. Safe for threads; a context manager."""

    def __init__(
        self,
        routes: Routes,
        keyring: Keys,
        *,
        proxies: Proxies | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self.routes = routes
        self.keyring = keyring
        waiting = {} if sleep is None else {"sleep": sleep}
        self.http = Http(trusts_blindly=routes.trusts_blindly, proxies=proxies, patience=patience, **waiting)
        self._servers: dict[Endpoint, Server] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Registries:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def server(self, endpoint: Endpoint) -> Server:
        """The server at ``endpoint``; the same one for the same endpoint, with what it knows us by."""
        with self._lock:
            if endpoint not in self._servers:
                self._servers[endpoint] = Server(self.http, endpoint, self.keyring)
            return self._servers[endpoint]

    def to_pull(self, registry: str, name: str) -> list[Repository]:
        """The repository ``name`` at every server that may have it, in the order to ask."""
        return [Repository(self.server(endpoint), name) for endpoint in self.routes.to_pull(registry)]

    def to_push(self, registry: str, name: str) -> Repository:
        """The repository ``name`` at the registry itself."""
        return Repository(self.server(self.routes.to_push(registry)), name)


class Server:
    """One server: how it is reached, and what it knows us by."""

    def __init__(self, http: Http, endpoint: Endpoint, keyring: Keys) -> None:
        self.http = http
        self.endpoint = endpoint
        self.authority = Authority(http, endpoint.registry, lambda: keyring.find(endpoint.registry))
        self._base: str | None = None
        self._lock = threading.Lock()

    @property
    def base(self) -> str:
        """``scheme://host``; found out by asking, where plain HTTP is allowed."""
        with self._lock:
            if self._base is None:
                self._base = self._reached()
            return self._base

    def _reached(self) -> str:
        base, plain = self.endpoint.base, self.endpoint.plain
        if plain is None:
            return base
        try:
            self.http.request("GET", f"{base}/v2/", attempts=1).close()
        except (NoTLS, Interrupted):
            return plain
        except RegistryError:
            if Origin.of(base).port == Origin.of(plain).port:
                raise
            return plain
        return base

    def ping(self) -> None:
        """Ask whether it is a registry that lets us in; RegistryError if not."""
        with self.call("GET", f"{self.base}/v2/", scope="") as answer:
            if answer.status != 200:
                raise failed(answer, "this is no registry")

    def call(
        self,
        method: str,
        url: str,
        *,
        scope: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        attempts: int | None = None,
    ) -> Answer:
        """The answer to a request, logged in where that is asked for.

        ``scope``: what a token must be good for. Only the server itself ever sees it.
        """
        own = Origin.of(url) == Origin.of(self.base)
        authorization = self.authority.header(scope) if own else None
        for _ in range(_LOGINS + 1):
            known = {"Authorization": authorization} if authorization else {}
            answer = self.http.request(
                method, url, headers={**(headers or {}), **known}, body=body, attempts=attempts
            )
            if answer.status != 401 or not own or Origin.of(answer.url) != Origin.of(self.base):
                return answer
            with answer:
                authorization = self.authority.answer(answer, scope, tried=authorization)
                answer.finish()
        raise RegistryError(
            "access is refused: it does not take the token that it gave",
            where=self.endpoint.registry,
            fix=f"log in with: layerlab login {self.endpoint.registry}",
        )


class Repository:
    """A repository: everything below ``/v2/<name>/``."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name

    @property
    def registry(self) -> str:
        """The host that was asked for, or the mirror's."""
        return self.server.endpoint.registry

    def __str__(self) -> str:
        return f"{self.registry}/{self.name}"

    def _url(self, path: str) -> str:
        return f"{self.server.base}/v2/{quote(self.name)}/{path}"

    def _call(self, method: str, url: str, *, push: bool = False, source: str = "", **rest: Any) -> Answer:
        scope = f"repository:{self.name}:{'pull,push' if push else 'pull'}"
        if source:
            scope += f" repository:{source}:pull"
        return self.server.call(method, url, scope=scope, **rest)

    # ---- manifests ----

    def manifest(self, reference: str) -> Document | None:
        """The manifest or index of a tag or digest, verified; None if there is none."""
        headers = {"Accept": _ACCEPT}
        with self._call(
            "GET", self._url(f"manifests/{quote(reference, safe=':')}"), headers=headers
        ) as answer:
            if answer.status == 404:
                answer.finish()
                return None
            if answer.status != 200:
                raise failed(answer, f"cannot get {self.name}:{reference}")
            raw = answer.read(MAX_DOCUMENT_BYTES)
            said = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            promised = answer.headers.get("Docker-Content-Digest")
        return Document(self._described(raw, said, promised, reference), raw)

    def _described(self, raw: bytes, said: str, promised: str | None, reference: str) -> Descriptor:
        where = f"{self}@{reference}" if ":" in reference else f"{self}:{reference}"
        digest = digest_of(raw)
        asked = reference if reference.startswith("sha256:") else promised
        if asked is not None and asked.startswith("sha256:") and asked != digest:
            raise RegistryError(
                f"the manifest's bytes have the digest {digest}, not {asked:.80}", where=where
            )
        if said in SCHEMA_1:
            raise RegistryError(
                "it offers the image in Docker's schema 1 only, which is not understood",
                where=where,
                fix="have it pushed again by a newer client",
            )
        try:
            document = parse_json(raw, where=where)
        except ImageFormatError:
            raise RegistryError("this is no manifest: is it a registry?", where=where) from None
        written = text(document, "mediaType", where=where)
        return Descriptor(written or said, digest, len(raw))

    def has_manifest(self, reference: str) -> Digest | None:
        """The digest of what a tag names, as the server says it; None if there is nothing."""
        headers = {"Accept": _ACCEPT}
        with self._call(
            "HEAD", self._url(f"manifests/{quote(reference, safe=':')}"), headers=headers
        ) as answer:
            found = answer.headers.get("Docker-Content-Digest", "")
            return Digest(found) if answer.status == 200 else None

    def put_manifest(self, reference: str, media_type: str, raw: bytes) -> Mapping[str, str]:
        """Store a manifest under a tag or its digest; the headers of the answer."""
        url = self._url(f"manifests/{quote(reference, safe=':')}")
        headers = {"Content-Type": media_type}
        with self._call("PUT", url, push=True, headers=headers, body=raw) as answer:
            if answer.status not in (200, 201, 202):
                raise failed(answer, f"cannot put the manifest {self.name}:{reference}")
            answer.finish()
            promised = answer.headers.get("Docker-Content-Digest")
            if promised is not None and promised != digest_of(raw):
                raise RegistryError("it stored another manifest than was sent", where=str(self))
            return answer.headers

    def put_referrer(self, raw: bytes, artifact_type: str, *, subject: Digest) -> None:
        """Store a manifest about ``subject``, and list it where the registry does not do so by itself.

        distribution-spec "Pushing Manifests with Subject": it says that it does by ``OCI-Subject``.
        """
        digest = digest_of(raw)
        if "OCI-Subject" in self.put_manifest(digest, MEDIA_MANIFEST, raw):
            return
        tag = fallback_tag(subject)
        known = self.manifest(tag)
        listed = () if known is None else Index.parse(known.raw, where=f"{self}:{tag}").manifests
        entry = Descriptor(MEDIA_MANIFEST, digest, len(raw), artifact_type=artifact_type)
        others = [each for each in listed if each.digest != digest]
        self.put_manifest(tag, MEDIA_INDEX, Index((*others, entry)).to_bytes())

    # ---- blobs: down ----

    def blob(self, blob: Descriptor, *, urls: tuple[str, ...] = ()) -> Generator[bytes, None, None]:
        """The bytes of a blob as they come, resumed where the connection breaks.

        RegistryError before the end if there is no such blob, or if size or digest are not what ``blob``
        says. ``urls``: where else it may be (foreign layers); these never see our credentials.
        """
        hasher = hashlib.sha256()
        received = failures = 0
        places = [self._url(f"blobs/{blob.digest}"), *urls]
        patience = self.server.http.patience
        while received < blob.size or received == failures == 0:
            try:
                with closing(self._part(places, blob, received)) as part:
                    for piece in part:
                        failures = 0
                        received += len(piece)
                        if received > blob.size:
                            raise RegistryError(
                                f"the blob is longer than its {blob.size} bytes", where=blob.digest
                            )
                        hasher.update(piece)
                        yield piece
                if received < blob.size:
                    raise Interrupted(
                        f"the blob ends after {received} of {blob.size} bytes", where=blob.digest
                    )
            except Interrupted:
                failures += 1
                if failures >= patience.attempts:
                    raise
                self.server.http.pause(failures)
                continue
            break
        if f"sha256:{hasher.hexdigest()}" != blob.digest:
            raise RegistryError("the blob's bytes have another digest than was asked for", where=blob.digest)

    def _part(self, places: list[str], blob: Descriptor, begin: int) -> Generator[bytes, None, None]:
        """The bytes of a blob from ``begin`` on, from the first place that has it."""
        while True:
            url = places[0]
            headers = {"Range": f"bytes={begin}-"} if begin else {}
            with self._call("GET", url, headers=headers) as answer:
                if answer.status in (404, 410) and len(places) > 1:
                    places.pop(0)
                    continue
                if answer.status not in (200, 206):
                    raise failed(answer, f"cannot get the blob {blob.digest}")
                at = _begin_of(answer) if answer.status == 206 else 0
                if at > begin:
                    raise Interrupted("it sends another part than was asked for", where=blob.digest)
                for piece in answer.pieces():
                    if at < begin:  # It sends the whole again.
                        piece, at = piece[begin - at :], at + len(piece)
                    if piece:
                        yield piece
                return

    def read(self, blob: Descriptor) -> bytes:
        """A small blob as a whole; RegistryError if it is larger than a document may be."""
        if blob.size > MAX_DOCUMENT_BYTES:
            raise RegistryError(f"larger than {MAX_DOCUMENT_BYTES} bytes", where=blob.digest)
        return b"".join(self.blob(blob))

    # ---- blobs: up ----

    def has_blob(self, digest: Digest) -> bool:
        """Whether the blob is there already."""
        with self._call("HEAD", self._url(f"blobs/{digest}"), push=True) as answer:
            return answer.status == 200

    def mount(self, digest: Digest, source: str) -> bool:
        """Let the blob of another repository of this registry be here too; False if it will not."""
        query = urlencode({"mount": digest, "from": source})
        url = f"{self._url('blobs/uploads/')}?{query}"
        with self._call("POST", url, push=True, source=source, body=b"") as answer:
            answer.finish()
            if answer.status == 202:
                self._cancel(answer)
            return answer.status == 201

    def upload(self, content: Callable[[], Iterator[bytes]]) -> Descriptor:
        """Store what ``content()`` gives; its digest and size. Called again, it must give the same bytes."""
        patience = self.server.http.patience
        for attempt in range(1, patience.attempts + 1):
            upload = self._begin()
            try:
                return upload.send(content())
            except Interrupted:
                if attempt == patience.attempts:
                    raise
                self.server.http.pause(attempt)
            except BaseException:
                upload.cancel()
                raise
        raise AssertionError("attempts is at least 1")

    def _begin(self) -> _Upload:
        with self._call("POST", self._url("blobs/uploads/"), push=True, body=b"") as answer:
            if answer.status != 202 or "Location" not in answer.headers:
                raise failed(answer, f"cannot upload to {self.name}")
            answer.finish()
            return _Upload(self, answer)

    def _cancel(self, answer: Answer) -> None:
        location = answer.headers.get("Location")
        if location:
            self._call("DELETE", joined(answer.url, location), push=True, attempts=1).close()

    # ---- names ----

    def tags(self) -> list[str]:
        """All tags, as the server orders them; RegistryError if there is no such repository."""
        found: list[str] = []
        url: str | None = self._url("tags/list?n=1000")
        for _ in range(_MAX_PAGES):
            if url is None:
                return found
            with self._call("GET", url) as answer:
                if answer.status != 200:
                    raise failed(answer, f"cannot list the tags of {self.name}")
                listed = _json(answer).get("tags") or []
                if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
                    raise RegistryError("the tags are no list of words", where=str(self))
                found += listed
                url = self._next(answer)
        raise RegistryError(f"its list of tags has more than {_MAX_PAGES} pages", where=str(self))

    def _next(self, answer: Answer) -> str | None:
        """The next page (RFC 8288), if it is on the same server."""
        match = re.match(r'\s*<([^>]+)>\s*;.*rel="?next"?', answer.headers.get("Link", ""))
        if match is None:
            return None
        url = joined(answer.url, match[1])
        if Origin.of(url) != Origin.of(self.server.base):
            raise RegistryError(f"its list goes on at another server: {shown(url)}", where=str(self))
        return url

    def referrers(self, digest: Digest) -> tuple[Descriptor, ...]:
        """What says that it is about ``digest``: by the API, else by the tag that stands in for it.

        distribution-spec "Listing Referrers" and "Unavailable Referrers API".
        """
        with self._call("GET", self._url(f"referrers/{digest}")) as answer:
            raw = answer.read(MAX_DOCUMENT_BYTES)
            if answer.status == 200:
                return Index.parse(raw, where=f"{self}, referrers").manifests
        listed = self.manifest(fallback_tag(digest))
        return () if listed is None else Index.parse(listed.raw, where=f"{self}, referrers").manifests


class _Upload:
    """An upload that has begun: where the next bytes go."""

    def __init__(self, repository: Repository, begun: Answer) -> None:
        self._repository = repository
        self._location = joined(begun.url, begun.headers["Location"])
        least = begun.headers.get("OCI-Chunk-Min-Length", "0")
        asked = int(least) if least.isdigit() else 0
        self._chunk = min(max(CHUNK_BYTES, asked), _MAX_CHUNK_BYTES)

    def send(self, content: Iterator[bytes]) -> Descriptor:
        """Send everything and finish; Interrupted if it must be begun anew."""
        hasher = hashlib.sha256()
        sent = 0
        waiting = bytearray()
        for piece in content:
            hasher.update(piece)
            waiting += piece
            while len(waiting) > self._chunk:
                self._patch(bytes(waiting[: self._chunk]), sent)
                sent += self._chunk
                del waiting[: self._chunk]
        if sent and waiting:
            self._patch(bytes(waiting), sent)
            sent += len(waiting)
            waiting.clear()
        digest = Digest(f"sha256:{hasher.hexdigest()}")
        self._finish(digest, bytes(waiting))
        return Descriptor("", digest, sent + len(waiting))

    def _patch(self, chunk: bytes, begin: int) -> None:
        end = begin + len(chunk)
        at, failures = begin, 0
        while at < end:
            rest = chunk[at - begin :]
            headers = {**_OCTETS, "Content-Range": f"{at}-{end - 1}"}
            try:
                answer = self._call("PATCH", self._location, headers=headers, body=rest, attempts=1)
            except Interrupted:
                failures += 1
                self._pause(failures)
                at = self._ask(begin, end)
                continue
            with answer:
                if answer.status == 202:
                    answer.finish()
                    self._location = joined(answer.url, answer.headers.get("Location", self._location))
                    return
                if answer.status not in (408, 416, 429, 500, 502, 503, 504):
                    raise failed(answer, f"cannot upload to {self._repository.name}")
            failures += 1
            self._pause(failures)
            at = self._ask(begin, end)

    def _pause(self, failures: int) -> None:
        http = self._repository.server.http
        if failures >= http.patience.attempts:
            raise RegistryError(f"an upload failed {failures} times", where=str(self._repository))
        http.pause(failures)

    def _ask(self, begin: int, end: int) -> int:
        """How far the upload is; Interrupted if that is not within the chunk that we still have.

        Never trust a refusal alone: some registries take a chunk at a wrong offset.
        """
        with self._call("GET", self._location) as answer:
            answer.finish()
            match = re.fullmatch(r"(?:bytes=)?0-(\d+)", answer.headers.get("Range", ""))
            if answer.status not in (202, 204) or match is None:
                raise Interrupted("the upload is lost", where=str(self._repository))
            self._location = joined(answer.url, answer.headers.get("Location", self._location))
        at = int(match[1]) + 1
        if at == 1 or not begin <= at <= end:  # "0-0" is said of nothing and of one byte alike.
            raise Interrupted("the upload is somewhere else", where=str(self._repository))
        return at

    def _finish(self, digest: Digest, last: bytes) -> None:
        parts = urlsplit(self._location)
        query = "&".join(filter(None, [parts.query, urlencode({"digest": digest})]))
        url = urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
        with self._call("PUT", url, headers=_OCTETS, body=last, attempts=1) as answer:
            if answer.status in (404, 408, 429, 500, 502, 503, 504):
                raise Interrupted(
                    f"the upload cannot be finished: {answer.status}", where=str(self._repository)
                )
            if answer.status not in (201, 204):
                raise failed(answer, f"cannot upload to {self._repository.name}")
            answer.finish()

    def cancel(self) -> None:
        """Tell the server that nothing more comes; it need not hear."""
        try:
            self._call("DELETE", self._location, attempts=1).close()
        except RegistryError:
            pass  # It will forget by itself.

    def _call(self, method: str, url: str, **rest: Any) -> Answer:
        return self._repository._call(method, url, push=True, **rest)


def fallback_tag(digest: Digest) -> str:
    """The tag that lists the referrers of ``digest`` where there is no API for it."""
    return digest.replace(":", "-")


def _begin_of(answer: Answer) -> int:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if match is None:
        raise Interrupted("it does not say which part it sends", where=shown(answer.url))
    return int(match[1])


def _json(answer: Answer) -> dict[str, Any]:
    try:
        document = json.loads(answer.read())
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise RegistryError("the answer is no JSON object: is it a registry?", where=shown(answer.url))
    return document


def failed(answer: Answer, what: str) -> RegistryError:
    """What to say of an answer that is a failure (distribution-spec "Error Codes")."""
    try:
        first = json.loads(answer.read(65_536))["errors"][0]
        said = f"{first.get('code', '')} {first.get('message', '')}".strip()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, RegistryError):
        said = ""
    reason = f": {said:.300}" if said else ""
    fix = None
    if answer.status in (401, 403):
        fix = "log in as somebody who may: layerlab login REGISTRY"
    return RegistryError(f"{what}: it answers {answer.status}{reason}", where=shown(answer.url), fix=fix)
