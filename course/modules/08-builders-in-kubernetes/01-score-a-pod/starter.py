"""What a pod hands over to whoever is in it.

Replace the body of ``score``. Try it:  layerlab learn check 8.1
"""

SOCKETS = [
    "/run/docker.sock",
    "/run/cri-dockerd.sock",
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/podman/podman.sock",
    "/run/buildkit/buildkitd.sock",
]
"""Whoever opens one of these commands something that is root of the node. /var/run is a link to /run."""

ALLOWED = [
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
]  # fmt: skip
"""What a container may add under the Pod Security Standard "baseline"."""


def score(pod):
    """The sorted list of what is dangerous in ``pod``, a manifest as nested dicts and lists:

    "privileged"      a container is privileged
    "capability"      a container adds a capability that is not in ALLOWED
    "host-namespace"  hostNetwork, hostPID or hostIPC is true
    "socket"          a hostPath is one of SOCKETS, or a directory that one of them lies below
    "host-path"       there is any other hostPath
    """
    return []
