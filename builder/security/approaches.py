"""The fourteen ways to build that are compared, each as the pod that an operator would write for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Final

from builder.errors import BuildError
from builder.security.pods import Pod, pods_in
from builder.security.tables import Builder, builders

APPROACHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "docker-socket": "docker-socket",
        "docker-in-docker": "docker-in-docker",
        "kaniko": "kaniko",
        "kaniko-hardened": "kaniko",
        "kaniko-user-namespace": "kaniko",
        "kaniko-sandboxed": "kaniko",
        "buildah-privileged": "buildah",
        "buildah-chroot": "buildah-chroot",
        "buildah-rootless": "buildah-rootless",
        "buildkit": "buildkit",
        "buildkit-rootless": "buildkit-rootless",
        "daemon-user-namespace": "buildkit",
        "docker-in-docker-sysbox": "docker-in-docker",
        "no-run": "no-run",
    }
)
"""Their names, in the order in which they are shown, each with the kind of its builder."""


def manifest(approach: str) -> bytes:
    """The YAML of an approach's pod; BuildError if there is no such approach."""
    if approach not in APPROACHES:
        raise _unknown(approach)
    return resources.files(__package__).joinpath("approaches", f"{approach}.yaml").read_bytes()


@cache
def pod(approach: str) -> Pod:
    """An approach's pod; BuildError if there is no such approach."""
    (found,) = pods_in(manifest(approach), f"{approach}.yaml")
    return found


def builder_of(approach: str) -> Builder:
    """The kind of builder of an approach; BuildError if there is no such approach."""
    if approach not in APPROACHES:
        raise _unknown(approach)
    return builders()[APPROACHES[approach]]


def _unknown(approach: str) -> BuildError:
    return BuildError(f"no such approach: {approach}", fix=f"there are: {', '.join(APPROACHES)}")


def kind_of(found: Pod) -> Builder | None:
    """The kind of builder of ``found``, if it is the pod of an approach."""
    name = found.document.name.removesuffix(".yaml")
    return builder_of(name) if name in APPROACHES and pod(name) is found else None
