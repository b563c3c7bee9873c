"""The fourteen ways to build that are compared, each as the pod that an operator would write for it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

from builder.errors import BuildError
from builder.security.pods import Pod, pods_in

APPROACHES: Final = (
    "docker-socket",
    "docker-in-docker",
    "kaniko",
    "kaniko-hardened",
    "kaniko-user-namespace",
    "kaniko-sandboxed",
    "buildah-privileged",
    "buildah-chroot",
    "buildah-rootless",
    "buildkit",
    "buildkit-rootless",
    "daemon-user-namespace",
    "docker-in-docker-sysbox",
    "no-run",
)
"""Their names, in the order in which they are shown."""


def manifest(approach: str) -> bytes:
    """The YAML of an approach's pod; BuildError if there is no such approach."""
    if approach not in APPROACHES:
        raise BuildError(f"no such approach: {approach}", fix=f"there are: {', '.join(APPROACHES)}")
    return resources.files(__package__).joinpath("approaches", f"{approach}.yaml").read_bytes()


@cache
def pod(approach: str) -> Pod:
    """An approach's pod; BuildError if there is no such approach."""
    (found,) = pods_in(manifest(approach), f"{approach}.yaml")
    return found
