"""Who we are to a registry: ``config.json`` as docker keeps it, and the helpers that it names.

Source: docker/cli ``cli/config/configfile`` and docker-credential-helpers. A secret is shown nowhere: the
``repr`` of credentials does not hold it.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from builder.errors import RegistryError
from builder.image.reference import DEFAULT_REGISTRY

DOCKER_HUB_KEY: Final = "https://index.docker.io/v1/"
"""What the file calls docker.io, for reasons of history."""

TOKEN_USER: Final = "<token>"
"""The user name by which a helper says that the secret is an identity token."""

_HELPER_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HELPER_SECONDS: Final = 60
_MAX_FILE_BYTES: Final = 4 << 20
_NOT_FOUND: Final = "credentials not found"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password; or, with ``is_identity_token``, a token to get tokens with."""

    user: str
    secret: str = field(repr=False)
    is_identity_token: bool = False

    def basic(self) -> str:
        """The value of an ``Authorization`` header (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()


Helper = Callable[[str, str, bytes], tuple[int, bytes]]
"""Runs ``docker-credential-NAME VERB`` with an input: its status and what it printed."""


def run_helper(name: str, verb: str, said: bytes) -> tuple[int, bytes]:
    """What the credential helper ``name`` answers; RegistryError if it does not run."""
    program = f"docker-credential-{name}"
    try:
        if shutil.which(program) is None:  # PATH may name directories that this user cannot enter
            raise FileNotFoundError
        done = subprocess.run(
            [program, verb], input=said, capture_output=True, timeout=_HELPER_SECONDS, check=False
        )
    except FileNotFoundError:
        raise RegistryError(f"the credential helper {program} is not installed") from None
    except OSError as error:
        raise RegistryError(f"the credential helper {program} does not run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise RegistryError(f"the credential helper {program} gives no answer") from None
    return done.returncode, done.stdout


def config_directory(env: Mapping[str, str]) -> str:
    """Where docker's client keeps its configuration: ``$DOCKER_CONFIG``, else ``~/.docker``."""
    return env.get("DOCKER_CONFIG") or os.path.join(env.get("HOME") or "/", ".docker")


class Keys(Protocol):
    """Whoever knows credentials, by registry."""

    def find(self, registry: str, /) -> Credentials | None:
        """The credentials for ``registry``, or None."""
        ...

    def store(self, registry: str, credentials: Credentials, /) -> str:
        """Keep credentials; returns where."""
        ...


class Presented:
    """Credentials that came with a request, and go with it. Implements ``Keys``."""

    def __init__(self, by_registry: Mapping[str, Credentials]) -> None:
        self._by_host = {_host(registry): found for registry, found in by_registry.items()}

    def find(self, registry: str, /) -> Credentials | None:
        """The credentials for ``registry``, or None."""
        return self._by_host.get(_host(_key(registry)))

    def store(self, registry: str, credentials: Credentials, /) -> str:  # noqa: ARG002 - nothing is kept
        """Nowhere: who asked keeps them."""
        return "the client"


class Keyring:
    """The credentials of one user, by registry. Nothing is read before it is asked for."""

    def __init__(self, directory: str, *, helper: Helper = run_helper) -> None:
        self.path = os.path.join(directory, "config.json")
        self._helper = helper

    def find(self, registry: str, /) -> Credentials | None:
        """The credentials for ``registry``, or None; RegistryError if the file or a helper is broken."""
        document = self._read()
        key = _key(registry)
        helper = self._helper_for(document, registry)
        if helper is not None:
            return self._ask(helper, key)
        auths = self._member(document, "auths")
        for written, entry in auths.items():
            if _host(written) == _host(key) and isinstance(entry, dict):
                return self._decoded(entry, written)
        return None

    def store(self, registry: str, credentials: Credentials, /) -> str:
        """Keep credentials; returns where: the name of a helper, or the file."""
        document = self._read()
        key = _key(registry)
        helper = self._helper_for(document, registry)
        if helper is not None:
            said = {"ServerURL": key, "Username": credentials.user, "Secret": credentials.secret}
            status, _ = self._helper(helper, "store", json.dumps(said).encode())
            if status:
                raise RegistryError(f"docker-credential-{helper} cannot keep the credentials", where=registry)
            return f"docker-credential-{helper}"
        pair = f"{credentials.user}:{credentials.secret}".encode()
        auths = self._member(document, "auths")
        others = {name: entry for name, entry in auths.items() if _host(name) != _host(key)}
        self._write({**document, "auths": {**others, key: {"auth": base64.b64encode(pair).decode()}}})
        return self.path

    def erase(self, registry: str) -> bool:
        """Forget the credentials; False if there were none."""
        document = self._read()
        key = _key(registry)
        helper = self._helper_for(document, registry)
        if helper is not None:
            known = self._ask(helper, key) is not None
            if known and self._helper(helper, "erase", key.encode())[0]:
                raise RegistryError(f"docker-credential-{helper} cannot forget them", where=registry)
            return known
        auths = self._member(document, "auths")
        others = {name: entry for name, entry in auths.items() if _host(name) != _host(key)}
        if len(others) == len(auths):
            return False
        self._write({**document, "auths": others})
        return True

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as stream:
                raw = stream.read(_MAX_FILE_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RegistryError(f"cannot read it: {error.strerror}", where=self.path) from None
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise RegistryError("this is not docker's configuration: no JSON object", where=self.path)
        return document

    def _member(self, document: Mapping[str, Any], name: str) -> dict[str, Any]:
        value = document.get(name) or {}
        if not isinstance(value, dict):
            raise RegistryError(f"{name!r} must be a JSON object", where=self.path)
        return value

    def _helper_for(self, document: Mapping[str, Any], registry: str) -> str | None:
        """The helper that keeps the credentials of ``registry``; None if they lie in the file."""
        by_host = self._member(document, "credHelpers")
        name = by_host.get(registry) or by_host.get(_key(registry)) or document.get("credsStore")
        if not name:
            return None
        if not isinstance(name, str) or not _HELPER_NAME.fullmatch(name):
            raise RegistryError(f"not the name of a credential helper: {name!r:.100}", where=self.path)
        return name

    def _ask(self, helper: str, key: str) -> Credentials | None:
        status, said = self._helper(helper, "get", key.encode())
        if status:
            if _NOT_FOUND in said.decode("utf-8", "replace"):
                return None
            raise RegistryError(f"docker-credential-{helper} fails with status {status}", where=key)
        try:
            answer = json.loads(said)
            user, secret = answer["Username"], answer["Secret"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise RegistryError(f"docker-credential-{helper} gives no user and secret", where=key) from None
        if not isinstance(user, str) or not isinstance(secret, str):
            raise RegistryError(f"docker-credential-{helper} gives no user and secret", where=key)
        return Credentials(user, secret, is_identity_token=user == TOKEN_USER)

    def _decoded(self, entry: Mapping[str, Any], written: str) -> Credentials | None:
        token = entry.get("identitytoken")
        if isinstance(token, str) and token:
            return Credentials(TOKEN_USER, token, is_identity_token=True)
        pair = entry.get("auth")
        if isinstance(pair, str) and pair:
            try:
                decoded = base64.b64decode(pair, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                decoded = ""
            user, colon, secret = decoded.partition(":")
            if not colon:
                raise RegistryError(f"'auth' of {written!r} is not base64 of user:password", where=self.path)
            return Credentials(user, secret.rstrip("\0"))
        name, password = entry.get("username"), entry.get("password")
        return Credentials(name, password) if isinstance(name, str) and isinstance(password, str) else None

    def _write(self, document: Mapping[str, Any]) -> None:
        """Replace the file, which only its user may read, by a whole one."""
        target = os.path.realpath(self.path)  # A configuration that is a symlink into dotfiles stays one.
        try:
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix="config.json.")
            try:
                with open(descriptor, "w", encoding="utf-8") as stream:
                    json.dump(document, stream, indent="\t")
                os.replace(temporary, target)
            except BaseException:
                os.unlink(temporary)
                raise
        except OSError as error:
            raise RegistryError(f"cannot write it: {error.strerror}", where=self.path) from None


def _key(registry: str) -> str:
    return DOCKER_HUB_KEY if registry == DEFAULT_REGISTRY else registry


def _host(written: str) -> str:
    """The host that an entry is for; early clients wrote whole addresses."""
    return written.removeprefix("https://").removeprefix("http://").partition("/")[0]
