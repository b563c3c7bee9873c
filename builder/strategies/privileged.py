"""Real processes and overlay mounts of root, as docker in docker has them."""

from __future__ import annotations

from builder.strategies.definition import refused

PRIVILEGED = refused("privileged", "docker-in-docker")
