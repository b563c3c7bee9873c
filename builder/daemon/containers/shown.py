"""How the API shows a container: in a list, and in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from builder.daemon.containers.container import Container, moment

_SECOND_NS: Final = 1_000_000_000


def listed(container: Container, now_ns: int) -> dict[str, Any]:
    """One container in a list (Engine API, "ContainerSummary")."""
    spec = container.spec
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": spec.image,
        "ImageID": container.kept.image.id,
        "Command": " ".join(spec.argv),
        "Created": container.created_ns // _SECOND_NS,
        "Ports": _listed_ports(container),
        "Labels": dict(spec.labels),
        "State": container.state.status,
        "Status": container.state.told(now_ns),
        "HostConfig": {"NetworkMode": spec.host["NetworkMode"]},
        "NetworkSettings": {"Networks": {}},
        "Mounts": [],
    }


def _listed_ports(container: Container) -> list[dict[str, Any]]:
    published = [
        {"IP": port.address, "PrivatePort": port.inner, "PublicPort": port.outer, "Type": "tcp"}
        for port in container.ports
    ]
    if not container.state.is_running:
        return []
    known = {port.inner for port in container.ports}
    exposed = (each.partition("/")[::2] for each in container.spec.exposed)
    return published + [
        {"PrivatePort": int(number), "Type": kind or "tcp"}
        for number, kind in exposed
        if number.isdigit() and int(number) not in known
    ]


def inspected(container: Container) -> dict[str, Any]:
    """All that is known of a container (Engine API, "ContainerInspectResponse")."""
    spec = container.spec
    path, *arguments = spec.argv
    return {
        "Id": container.id,
        "Created": moment(container.created_ns),
        "Path": path,
        "Args": arguments,
        "State": container.state.document(),
        "Image": container.kept.image.id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": "",
        "Name": f"/{container.name}",
        "RestartCount": 0,
        "Driver": "layerlab",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(container.executions) or None,
        "HostConfig": dict(spec.host),
        "GraphDriver": {"Name": "layerlab", "Data": None},
        "Mounts": [],
        "Config": {**spec.config, "Hostname": container.id[:12]},
        "NetworkSettings": {
            "Bridge": "",
            "SandboxID": "",
            "Ports": _inspected_ports(container),
            "IPAddress": "",
            "Gateway": "",
            "MacAddress": "",
            "Networks": {},
        },
    }


def _inspected_ports(container: Container) -> Mapping[str, Any]:
    found: dict[str, Any] = {each if "/" in each else f"{each}/tcp": None for each in container.spec.exposed}
    if not container.state.is_running:
        return {}
    for port in container.ports:
        places = found.get(f"{port.inner}/tcp") or []
        found[f"{port.inner}/tcp"] = [*places, {"HostIp": port.address, "HostPort": str(port.outer)}]
    return found
