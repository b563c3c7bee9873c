"""One request and its answer, with an end to everything: waiting, retrying, redirecting, reading.

The only module that knows urllib3, which is imported when the first request is made. Bodies are bytes, so
that every request can be made again. Nothing is sent to another host but what was asked for: an
``Authorization`` header stays with the origin that it was made for.
"""

from __future__ import annotations

import ipaddress
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from builder.errors import RegistryError
from builder.transport.registry.endpoint import Origin

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

PIECE_BYTES: Final = 1 << 17
MAX_ANSWER_BYTES: Final = 1 << 20
"""How much of an answer that is no image document is read: tokens, errors, lists."""

_REDIRECTS: Final = frozenset([301, 302, 303, 307, 308])
_TRY_AGAIN: Final = frozenset([408, 429, 500, 502, 503, 504])
_MAX_REDIRECTS: Final = 5
_SHOWN: Final = 300
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "UNEXPECTED_EOF", "EOF occurred", "closed (EOF)")
"""What OpenSSL and Python, in their versions, say of a server that answers a greeting without TLS."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may take. All in seconds.

    ``answer``: until the head of an answer is there. ``silence``: between two pieces of a body.
    ``attempts``: how often a request is made. ``pause``: before the second attempt, twice that before the
    third. ``longest_pause``: no ``Retry-After`` is obeyed beyond. ``slowest``: bytes a second below which a
    body that is longer than ``silence`` in coming is given up.
    """

    connect: float = 15.0
    answer: float = 30.0
    silence: float = 20.0
    attempts: int = 5
    pause: float = 0.5
    longest_pause: float = 60.0
    slowest: int = 512


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that the environment names, as curl reads it: ``https_proxy``, ``no_proxy`` and so on."""

    by_scheme: Mapping[str, str]
    exempt: tuple[str, ...] = ()

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Proxies:
        """The proxies in ``env``."""
        found = {}
        for scheme in ("http", "https"):
            # HTTP_PROXY in capitals may come from a request's header (httpoxy): curl does not read it.
            upper = env.get("HTTPS_PROXY") if scheme == "https" else None
            if url := env.get(f"{scheme}_proxy") or upper or env.get("all_proxy") or env.get("ALL_PROXY"):
                found[scheme] = url if "://" in url else f"http://{url}"
        exempt = env.get("no_proxy") or env.get("NO_PROXY") or ""
        return cls(found, tuple(each.lstrip(".").lower() for each in exempt.replace(",", " ").split()))

    def for_(self, origin: Origin) -> str | None:
        """The proxy to reach ``origin`` through, or None; this machine is reached directly."""
        if origin.is_loopback or "*" in self.exempt:
            return None
        if any(_names(each, origin.host) for each in self.exempt):
            return None
        return self.by_scheme.get(origin.scheme)


def _names(exempt: str, host: str) -> bool:
    """Whether a word of ``no_proxy`` names a host: itself, a domain that it lies in, or a network."""
    if "/" not in exempt:
        return host == exempt or host.endswith("." + exempt)
    try:
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(exempt, strict=False)
    except ValueError:
        return False


class Answer:
    """The head of an answer, and its body to be read once. Close it, or read it to the end."""

    def __init__(self, response: BaseHTTPResponse, url: str, patience: Patience) -> None:
        self._response = response
        self._patience = patience
        self.url = url
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection; it is used again if the body was read."""
        self._response.close()

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes; Interrupted if it ends early, stalls or trickles."""
        begin = time.monotonic()
        received = 0
        with _told(self.url):
            while piece := self._next():
                received += len(piece)
                took = time.monotonic() - begin
                if took > self._patience.silence and received < self._patience.slowest * took:
                    self.close()
                    raise Interrupted(f"{received} bytes in {took:.0f} s", where=shown(self.url))
                yield piece

    def _next(self) -> bytes:
        # read1, not read: that would wait until so many bytes are there, however slowly they come.
        read1 = getattr(self._response, "read1")  # noqa: B009 - not in urllib3's base class
        piece: bytes = read1(PIECE_BYTES, decode_content=False) or b""
        return piece

    def read(self, limit: int = MAX_ANSWER_BYTES) -> bytes:
        """The whole body; RegistryError if it is longer than ``limit`` bytes."""
        found = bytearray()
        for piece in self.pieces():
            found += piece
            if len(found) > limit:
                self.close()
                raise RegistryError(f"the answer is longer than {limit} bytes", where=shown(self.url))
        return bytes(found)

    def finish(self) -> None:
        """Read what is left of a short body, so that the connection can be used again."""
        self.read()


class Interrupted(RegistryError):
    """A connection that broke, stalled or trickled; what was asked for may be asked for again."""


class NoTLS(RegistryError):
    """The server does not speak TLS."""


class Http:
    """Makes requests. Safe for threads; holds connections until it is closed."""

    def __init__(
        self,
        *,
        trusts_blindly: Callable[[str], bool] = lambda _: False,
        proxies: Proxies | None = None,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.patience = patience or Patience()
        self._trusts_blindly = trusts_blindly
        self._proxies = proxies or Proxies({})
        self._sleep = sleep
        self._pools: dict[tuple[str | None, bool], PoolManager] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()
            self._pools.clear()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        attempts: int | None = None,
        redirects: int = _MAX_REDIRECTS,
    ) -> Answer:
        """The answer to a request, after retries and redirects; RegistryError if there is none.

        An answer of any status but a redirect's is returned. ``Authorization`` is dropped where a redirect
        leads to another origin, and no redirect leads from https to http.
        """
        carried = dict(headers or {})
        for _ in range(redirects + 1):
            answer = self._persistent(method, url, carried, body, attempts or self.patience.attempts)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or not target or method not in ("GET", "HEAD"):
                return answer
            answer.close()
            here, url = url, joined(url, target)
            if Origin.of(here) != Origin.of(url):
                carried.pop("Authorization", None)
                if urlsplit(here).scheme == "https" and urlsplit(url).scheme != "https":
                    raise RegistryError(f"it redirects to {shown(url)}, without TLS", where=shown(here))
        raise RegistryError(f"more than {redirects} redirects", where=shown(url))

    def pause(self, failures: int) -> None:
        """Wait after so many failures, longer each time."""
        self._sleep(min(self.patience.pause * 2 ** (failures - 1), self.patience.longest_pause))

    def _persistent(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, attempts: int
    ) -> Answer:
        for attempt in range(1, attempts + 1):
            pause = self.patience.pause * 2 ** (attempt - 1)
            try:
                answer = self._once(method, url, headers, body)
            except Interrupted:
                if attempt == attempts:
                    raise
            else:
                if answer.status not in _TRY_AGAIN or attempt == attempts:
                    return answer
                pause = self._asked_to_wait(answer) or pause
                answer.close()
            self._sleep(pause)
        raise AssertionError("attempts is at least 1")

    def _asked_to_wait(self, answer: Answer) -> float | None:
        """The seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3); RegistryError if too many."""
        from urllib3 import Retry
        from urllib3.exceptions import InvalidHeader

        written = answer.headers.get("Retry-After")
        if written is None:
            return None
        try:
            seconds = Retry(0).parse_retry_after(written)
        except (InvalidHeader, OverflowError, ValueError):
            return None
        if seconds > self.patience.longest_pause:
            answer.close()
            raise RegistryError(
                f"it is busy (status {answer.status}) and asks to come back in {seconds:.0f} s",
                where=shown(answer.url),
                fix="try again then, or use a mirror: --mirror REGISTRY=URL",
            )
        return seconds

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        from urllib3 import Timeout

        limits = Timeout(connect=self.patience.connect, read=self.patience.silence)
        # No Accept-Encoding: digests are of the bytes as they travel.
        sent = {"User-Agent": "layerlab", "Accept-Encoding": "identity", **headers}
        with _told(url):
            response = self._pool(url).urlopen(
                method,
                url,
                body=body,
                headers=sent,
                timeout=limits,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        return Answer(response, url, self.patience)

    def _pool(self, url: str) -> PoolManager:
        import urllib3

        origin = Origin.of(url)
        blind = self._trusts_blindly(origin.host) or self._trusts_blindly(urlsplit(url).netloc)
        proxy = self._proxies.for_(origin)
        with self._lock:
            if (proxy, blind) not in self._pools:
                options: dict[str, Any] = {"num_pools": 16, "maxsize": 16}
                if blind:
                    options |= {"ssl_context": _blind_context()}
                pool = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
                pool.pool_classes_by_scheme = _impatient_pools(self.patience.answer)
                self._pools[proxy, blind] = pool
            return self._pools[proxy, blind]


def _blind_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _impatient_pools(seconds: float) -> dict[str, Any]:
    """urllib3's pools, whose connections are shut when the head of an answer takes longer than ``seconds``.

    A timeout of a socket is for one read alone: a server that sends a byte now and then would never end.
    """
    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    def limited(base: Any) -> Any:
        def getresponse(self: Any) -> Any:
            late = threading.Event()
            watch = threading.Timer(seconds, _shut, [self.sock, late])
            watch.daemon = True
            watch.start()
            try:
                answer = base.getresponse(self)
            finally:
                watch.cancel()
            if late.is_set():  # A head that was cut off would pass for a whole one.
                answer.close()
                raise TimeoutError
            return answer

        return type(f"Impatient{base.__name__}", (base,), {"getresponse": getresponse})

    return {
        "http": type("Plain", (HTTPConnectionPool,), {"ConnectionCls": limited(HTTPConnection)}),
        "https": type("Secure", (HTTPSConnectionPool,), {"ConnectionCls": limited(HTTPSConnection)}),
    }


def _shut(sock: Any, late: threading.Event) -> None:
    import socket

    late.set()
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # It is closed already.


@contextmanager
def _told(url: str) -> Iterator[None]:
    """Turn what urllib3 raises inside into a RegistryError that says what happened, and where."""
    from urllib3 import exceptions

    where = shown(url)
    try:
        yield
    except exceptions.NameResolutionError:
        raise RegistryError("there is no such host", where=where) from None
    except exceptions.NewConnectionError as error:
        reason = getattr(error.__cause__, "strerror", None) or "no connection"
        raise RegistryError(f"it cannot be reached: {reason}", where=where) from None
    except exceptions.ConnectTimeoutError:
        raise RegistryError("it cannot be reached: no answer", where=where) from None
    except exceptions.SSLError as error:
        raise _tls(str(error), where) from None
    except exceptions.ProxyError as error:
        raise RegistryError(f"the proxy fails: {error.original_error}", where=where) from None
    except exceptions.ReadTimeoutError:
        raise Interrupted("it stalls: no answer in time", where=where) from None
    except (exceptions.LocationValueError, exceptions.LocationParseError):
        raise RegistryError("this is no address", where=where) from None
    except exceptions.HTTPError as error:
        raise Interrupted(f"the connection broke: {error!s:.{_SHOWN}}", where=where) from None


def _tls(reason: str, where: str) -> RegistryError:
    if any(sign in reason for sign in _NO_TLS):
        return NoTLS("it does not speak TLS", where=where, fix="allow that with --insecure-registry HOST")
    return RegistryError(
        f"its TLS certificate is not good: {reason:.{_SHOWN}}",
        where=where,
        fix="name its authority in SSL_CERT_FILE, or allow it with --insecure-registry HOST",
    )


def joined(base: str, location: str) -> str:
    """Where a ``Location`` leads from ``base`` (RFC 9110, 10.2.2); RegistryError if nowhere."""
    try:
        target = urljoin(base, location)
    except ValueError:
        raise RegistryError(f"it leads to what is no address: {location!r:.200}", where=shown(base)) from None
    Origin.of(target)
    return target


def shown(url: str) -> str:
    """A URL for people and logs: without user, password and query, which may hold secrets."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"
    except ValueError:
        return "an address that is none"
