"""A docker daemon does it: whoever may open its socket commands it."""

from __future__ import annotations

from builder.strategies.definition import refused

DOCKER_SOCK = refused("docker-sock", "docker-socket")
