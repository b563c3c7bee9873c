"""Real processes in namespaces of this user: no daemon, no root."""

from __future__ import annotations

from builder.strategies.definition import refused

ROOTLESS = refused("rootless", "rootless")
