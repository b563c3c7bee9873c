"""Who a client is to registries: what it sends along with a request (Engine API, "Authentication")."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from builder.daemon.http.errors import BadRequest
from builder.transport.registry.credentials import TOKEN_USER, Credentials

_MAX_BYTES: Final = 1 << 20


def presented(header: str, registry: str) -> dict[str, Credentials]:
    """What ``X-Registry-Auth`` says, for the one registry that is asked; {} if it says nothing."""
    found = credentials_of(_decoded("X-Registry-Auth", header))
    return {} if found is None else {registry: found}


def presented_by_registry(header: str) -> dict[str, Credentials]:
    """What ``X-Registry-Config`` says: all logins of the client, by registry."""
    found = {}
    for registry, entry in _decoded("X-Registry-Config", header).items():
        credentials = credentials_of(entry) if isinstance(entry, dict) else None
        if credentials is not None:
            found[registry] = credentials
    return found


def credentials_of(entry: dict[str, Any]) -> Credentials | None:
    """The credentials in a JSON object; None if there are none."""
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return Credentials(TOKEN_USER, token, is_identity_token=True)
    user, password = entry.get("username"), entry.get("password")
    return (
        Credentials(user, password) if isinstance(user, str) and user and isinstance(password, str) else None
    )


def _decoded(name: str, header: str) -> dict[str, Any]:
    """The JSON object in a header: base64 in either alphabet, with or without its padding."""
    if not header:
        return {}
    try:
        raw = base64.b64decode(
            header + "=" * (-len(header) % 4), altchars=b"-_" if set("-_") & set(header) else None
        )
        found = json.loads(raw[:_MAX_BYTES]) if raw.strip() else {}
    except (binascii.Error, ValueError, RecursionError):
        raise BadRequest(f"{name} is not base64 of a JSON object") from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadRequest(f"{name} is not base64 of a JSON object")
    return found
