"""What a directory of the node gives to the pod that mounts it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from typing import Final

SOCKETS: Final = (
    "/run/docker.sock",
    "/run/cri-dockerd.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/buildkit/buildkitd.sock",
)
"""Sockets of container runtimes and of builders that run as root of the node.

``/var/run`` is a link to ``/run`` (FHS 3.0, 5.13): who mounts it gets the sockets, because the kubelet
follows the link on the node; who mounts ``/var`` gets the link, which leads to the container's own ``/run``.
"""

KUBELET: Final = ("/var/lib/kubelet/pki", "/var/lib/kubelet/pods")
"""Where the kubelet keeps its certificates and the volumes of pods."""

KERNEL: Final = ("/proc/sys/kernel",)
"""Where the kernel is told what to run as root, such as core_pattern."""

SYSTEM: Final = (
    "/boot",
    "/etc/cron.d",
    "/etc/kubernetes/manifests",
    "/etc/ld.so.preload",
    "/etc/systemd/system",
    "/root/.ssh",
    "/usr/bin",
    "/usr/lib",
    "/usr/sbin",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/spool/cron",
)
"""Where the node finds what it executes as root."""


def true_path(path: str) -> str:
    """The directory of the node that a hostPath means, in one spelling.

    >>> [true_path(path) for path in ("//", "/var/run//docker.sock", "/proc/1/root/run/", "/bin")]
    ['/', '/run/docker.sock', '/run', '/usr/bin']
    """
    clean = _clean(path)
    for prefix, meant in (
        ("/proc/1/root", "/"),
        ("/proc/self/root", "/"),
        ("/var/run", "/run"),
        ("/bin", "/usr/bin"),
        ("/sbin", "/usr/sbin"),
        ("/lib", "/usr/lib"),
    ):
        if clean == prefix or clean.startswith(f"{prefix}/"):
            clean = _clean(meant + clean[len(prefix) :])
    return clean


def _clean(path: str) -> str:
    # normpath keeps two slashes at the start, for which POSIX allows a meaning of their own.
    return posixpath.normpath(f"/{path.lstrip('/')}")


def holds(path: str, places: Iterable[str]) -> str | None:
    """The first of ``places`` at or below the hostPath ``path``; None if there is none.

    >>> holds("/var/run", SOCKETS), holds("/var", SOCKETS)
    ('/run/docker.sock', None)
    """
    clean = true_path(path)
    above = "/" if clean == "/" else f"{clean}/"
    return next((place for place in places if place == clean or place.startswith(above)), None)
