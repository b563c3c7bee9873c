"""Answers a registry's 401: with a token for one scope, or with the password.

distribution ``docs/spec/auth/token.md`` and ``oauth.md``. The scope is always ours, never the one that the
registry names: it cannot ask for a token for somebody else.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from builder.errors import RegistryError
from builder.transport.registry.challenge import Challenge, may_receive_password, parse_challenges
from builder.transport.registry.credentials import Credentials
from builder.transport.registry.endpoint import Origin
from builder.transport.registry.http import Answer, Http, shown

_DEFAULT_SECONDS: Final = 60
"""How long a token lasts if nothing is said (token.md, "expires_in")."""
_SPARE_SECONDS: Final = 10


class Authority:
    """What one registry knows us by. ``find``: its credentials, asked for at most once. Safe for threads."""

    def __init__(
        self,
        http: Http,
        registry: str,
        find: Callable[[], Credentials | None],
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._registry = registry
        self._find = find
        self._seconds = seconds
        self._found: tuple[Credentials | None] | None = None
        self._headers: dict[str, tuple[str, float]] = {}
        self._lock = threading.RLock()

    def header(self, scope: str) -> str | None:
        """The ``Authorization`` that was good for ``scope``, if it still is."""
        with self._lock:
            value, until = self._headers.get(scope) or self._headers.get("") or (None, 0.0)
            return value if value and self._seconds() < until else None

    def answer(self, refused: Answer, scope: str, *, tried: str | None) -> str:
        """The ``Authorization`` to try after a 401; RegistryError if there is none.

        ``tried``: what was refused; another thread may have got a better one since.
        """
        with self._lock:
            known = self.header(scope)
            if known is not None and known != tried:
                return known
            if tried is not None and tried.startswith("Basic"):
                raise self._refused("user name or password is wrong")
            challenges = parse_challenges(refused.headers.get("WWW-Authenticate", ""))
            by_scheme = {each.scheme: each for each in reversed(challenges)}
            if bearer := by_scheme.get("bearer"):
                value, lasts = self._token(bearer, Origin.of(refused.url), scope)
                self._headers[scope] = value, self._seconds() + lasts
                return value
            if "basic" in by_scheme:
                return self._password()
            raise self._refused("it asks for a way to log in that is not known here")

    def _credentials(self) -> Credentials | None:
        if self._found is None:
            self._found = (self._find(),)
        return self._found[0]

    def _password(self) -> str:
        credentials = self._credentials()
        if credentials is None or credentials.is_identity_token:
            raise self._refused("it asks for a user name and a password")
        value = credentials.basic()
        self._headers[""] = value, float("inf")
        return value

    def _token(self, challenge: Challenge, registry: Origin, scope: str) -> tuple[str, float]:
        realm = challenge.parameters.get("realm", "")
        target = Origin.of(realm)
        if registry.scheme == "https" and target.scheme != "https":
            raise self._refused(f"it names a token server without TLS: {shown(realm)}")
        credentials = self._credentials()
        if credentials is not None and not may_receive_password(target, registry):
            raise self._refused(f"it wants the password to be sent to another domain: {shown(realm)}")
        if target.is_loopback and not registry.is_loopback:
            raise self._refused(f"it names a token server on this machine: {shown(realm)}")
        service = challenge.parameters.get("service", "")
        if credentials is not None and credentials.is_identity_token:
            form = {
                "grant_type": "refresh_token",
                "service": service,
                "client_id": "layerlab",
                "scope": scope,
                "refresh_token": credentials.secret,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            answer = self._http.request("POST", realm, headers=headers, body=urlencode(form).encode())
        else:
            asked = [("service", service), *(("scope", each) for each in scope.split())]
            if credentials is not None:
                asked.append(("account", credentials.user))
            headers = {"Authorization": credentials.basic()} if credentials is not None else {}
            answer = self._http.request("GET", _asking(realm, asked), headers=headers, redirects=0)
        with answer:
            return self._read(answer, realm)

    def _read(self, answer: Answer, realm: str) -> tuple[str, float]:
        if answer.status in (400, 401, 403):
            raise self._refused(
                "the token server refuses: user name or password is wrong, or access is denied"
            )
        if answer.status != 200:
            raise RegistryError(f"the token server answers {answer.status}", where=shown(realm))
        try:
            document = json.loads(answer.read())
            token = document.get("token") or document["access_token"]
            lasts = float(document.get("expires_in") or _DEFAULT_SECONDS)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise RegistryError("the token server gives no token", where=shown(realm)) from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise RegistryError("the token server gives no token", where=shown(realm))
        return f"Bearer {token}", max(lasts - _SPARE_SECONDS, 1.0)

    def _refused(self, why: str) -> RegistryError:
        fix = f"log in with: layerlab login {self._registry}"
        return RegistryError(f"access is refused: {why}", where=self._registry, fix=fix)


def _asking(realm: str, asked: list[tuple[str, str]]) -> str:
    """The realm with a query, after one that it may have."""
    parts = urlsplit(realm)
    query = "&".join(filter(None, [parts.query, urlencode([each for each in asked if each[1]])]))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
