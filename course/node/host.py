"""The node: its daemon's socket, its kubelet's credentials and other tenants' Secrets, as files in memory."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.vfs.posix import Posix

SOCKET: Final = "/run/docker.sock"
DOCKER_GROUP: Final = 998
DISK: Final = "/dev/sda1"
_POD: Final = "/var/lib/kubelet/pods/6f1d0e5c-team-b-db-0/volumes/kubernetes.io~secret"

SECRETS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "host_fs": ("/etc/machine-id", "node-7-4be1c7"),
        "kubelet_creds": ("/var/lib/kubelet/pki/kubelet-client-current.pem", "the-key-of-system:node:node-7"),
        "other_pods_secrets": (f"{_POD}/db/password", "the-password-of-team-b"),
        "other_images": ("/var/lib/docker/overlay2/c4a1/diff/app/ledger.py", "the-ledger-of-team-b"),
        "daemon_creds": ("/root/.docker/config.json", "the-registry-password-of-node-7"),
    }
)
"""Node of the attack graph → where on the host it lies, and a text by which whoever saw it is known."""

CONTAINERS: Final = (
    ("9c1f5e0a7b21", "postgres:16", "k8s_db_team-b_db-0"),
    ("51d0aa83c90e", "registry.example/team-b/ledger:4", "k8s_web_team-b_ledger"),
    ("0be77d4f1a66", "registry.example/csi-driver:v2", "k8s_csi_kube-system_csi-node"),
)
"""What runs beside the build: id, image and name."""


def make_directory(tree: Posix, path: str) -> None:
    """A directory with its parents, as the kubelet and docker make what is to be mounted and is not there."""
    made = ""
    for name in path.strip("/").split("/"):
        made += f"/{name}"
        if name and not tree.exists(made):
            tree.mkdir(made, 0o755)


def host() -> Layer:
    """A fresh node."""
    files: dict[str, File | Dir | Symlink] = {
        "/": Dir(mode=0o755),
        "/etc/hostname": File("node-7\n"),
        "/etc/cron.d": Dir(mode=0o755),
        "/etc/shadow": File("root:$6$of-node-7:19000::::::\n", mode=0o640),
        "/root": Dir(mode=0o700),
        "/run": Dir(mode=0o755),
        "/var/run": Symlink("/run"),
        "/var/lib/kubelet": Dir(mode=0o700),
        "/var/lib/docker": Dir(mode=0o710),
    }
    for name, (path, mark) in SECRETS.items():
        text = f'{{"auths": {{"registry.example": {{"auth": "{mark}"}}}}}}' if path.endswith("json") else mark
        files[path] = File(f"{text}\n", mode=0o644 if name == "host_fs" else 0o600)
    made = layer(dict(sorted(files.items())))
    made.mknod(SOCKET, stat.S_IFSOCK | 0o660)
    made.chmod(SOCKET, 0o660)
    made.chown(SOCKET, 0, DOCKER_GROUP)
    return made
