"""Exercise 8.1: what is dangerous in a pod, as the Pod Security Standards and the table of sockets have it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator

from builder.security.hostpaths import SOCKETS, holds
from builder.security.pods import pods_in
from builder.security.pss import Level, judge
from course.check import Case

CODES = {
    "privileged": "privileged",
    "capabilities_baseline": "capability",
    "hostNamespaces": "host-namespace",
}
BUILD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "build"},
    "spec": {"containers": [{"name": "build", "image": "registry.example/builder"}]},
}


def cases(seed: str) -> Iterator[Case]:
    """The directed pods, then random ones."""
    yield Case("privileged", args=(BUILD,))
    yield Case("privileged", args=(container(securityContext={"privileged": True}),))
    yield Case("privileged", args=(container(securityContext={"privileged": False}),))
    yield Case("privileged", args=(container(securityContext={"allowPrivilegeEscalation": True}),))
    yield Case("privileged", args=(spec(hostPID=True),), because="namespaces")
    yield Case("privileged", args=(spec(hostNetwork=True, hostIPC=False),), because="namespaces")
    yield Case("capabilities", args=(capabilities(add=["SYS_ADMIN"]),))
    yield Case("capabilities", args=(capabilities(add=["ALL"]),))
    yield Case("capabilities", args=(capabilities(add=["CHOWN", "SETUID"]),), because="allowed")
    yield Case("capabilities", args=(capabilities(drop=["ALL"], add=["SYS_PTRACE"]),), because="drop-all")
    yield Case("capabilities", args=(capabilities(drop=["ALL"]),))
    for path in ("/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/crio/crio.sock"):
        yield Case("sockets", args=(host_path(path),))
    yield Case("sockets", args=(host_path("/home/ci/cache"),), shows={"every-path": ["socket"]})
    for path in ("/", "/run", "/var/run", "/var/run/", "/run/containerd", "//", "/etc/.."):
        yield Case("directories", args=(host_path(path),))
    for path in ("/run/dock", "/runner", "/run/docker.sock.d", "/var/log"):
        yield Case("directories", args=(host_path(path),), because="names")
    yield Case("read-only", args=(mounted("/run/docker.sock", read_only=True),))
    yield Case("read-only", args=(mounted("/", read_only=True),))
    yield Case("init-containers", args=(init(BUILD, securityContext={"privileged": True}),))
    yield Case("init-containers", args=(init(BUILD, securityContext={"capabilities": {"add": ["BPF"]}}),))
    yield Case("init-containers", args=(init(BUILD),))
    dice = random.Random(seed)
    for _ in range(30):
        yield Case("any-pod", args=(random_pod(dice),))


def oracle(pod: dict) -> list[str]:
    """The same, from this project's own checks."""
    (found,) = pods_in(json.dumps(pod).encode(), "pod.json")
    codes = {
        CODES[violation.check]
        for violation in judge(found).violations
        if violation.level is Level.BASELINE and violation.check in CODES
    }
    for volume in found.volumes:
        if volume.host_path is not None:
            codes.add("socket" if holds(volume.host_path, SOCKETS) else "host-path")
    return sorted(codes)


def spec(**fields: object) -> dict:
    pod = copy.deepcopy(BUILD)
    pod["spec"].update(fields)
    return pod


def container(**fields: object) -> dict:
    pod = copy.deepcopy(BUILD)
    pod["spec"]["containers"][0].update(fields)
    return pod


def capabilities(**fields: object) -> dict:
    return container(securityContext={"capabilities": fields})


def host_path(path: str) -> dict:
    return mounted(path, read_only=False)


def mounted(path: str, *, read_only: bool) -> dict:
    mount = {"name": "node", "mountPath": "/node"} | ({"readOnly": True} if read_only else {})
    pod = container(volumeMounts=[mount])
    pod["spec"]["volumes"] = [{"name": "node", "hostPath": {"path": path}}]
    return pod


def init(pod: dict, **fields: object) -> dict:
    pod = copy.deepcopy(pod)
    first = {"name": "first", "image": "registry.example/setup", **fields}
    pod["spec"].setdefault("initContainers", []).append(first)
    return pod


PATHS = (
    "/",
    "/run",
    "/run/crio",
    "/run/podman/podman.sock",
    "/var/run/docker.sock",
    "/var/lib/docker",
    "/var/log",
    "/run/user",
    "/opt/cache",
)
CONTEXTS = (
    {},
    {"privileged": True},
    {"privileged": False},
    {"capabilities": {"drop": ["ALL"], "add": ["CHOWN"]}},
    {"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}},
    {"capabilities": {"add": ["NET_ADMIN", "KILL"]}},
    {"runAsNonRoot": True},
)


def random_pod(dice: random.Random) -> dict:
    pod = container(securityContext=dice.choice(CONTEXTS)) if dice.random() < 0.5 else copy.deepcopy(BUILD)
    if dice.random() < 0.4:
        pod = init(pod, securityContext=dice.choice(CONTEXTS))
    if dice.random() < 0.6:
        paths = dice.sample(PATHS, dice.randint(1, 2))
        pod["spec"]["volumes"] = [
            {"name": f"v{number}", "hostPath": {"path": path}} for number, path in enumerate(paths)
        ]
        pod["spec"]["volumes"].append({"name": "work", "emptyDir": {}})
        pod["spec"]["containers"][0]["volumeMounts"] = [
            {"name": each["name"], "mountPath": f"/{each['name']}", "readOnly": dice.random() < 0.5}
            for each in pod["spec"]["volumes"]
        ]
    if dice.random() < 0.3:
        pod["spec"][dice.choice(("hostPID", "hostIPC", "hostNetwork"))] = dice.random() < 0.7
    return pod
