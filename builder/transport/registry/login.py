"""Tries a password, and keeps it if it is right."""

from __future__ import annotations

from builder.transport.registry.authority import Authority
from builder.transport.registry.credentials import Credentials
from builder.transport.registry.repository import Registries


def log_in(registries: Registries, registry: str, credentials: Credentials) -> str:
    """Where the credentials are kept from now on; RegistryError, and nothing kept, if they are refused."""
    server = registries.server(registries.routes.to_push(registry))
    server.authority = Authority(registries.http, registry, lambda: credentials)
    server.ping()
    return registries.keyring.store(registry, credentials)
