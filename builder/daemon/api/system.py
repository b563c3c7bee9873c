"""``/_ping``, ``/version``, ``/info``, ``/events``, ``/system/df``, ``/auth``: the daemon about itself."""

from __future__ import annotations

import json
import os
import platform
from typing import Final

from builder.daemon.api.images import listed
from builder.daemon.containers.shown import listed as listed_container
from builder.daemon.credentials import credentials_of
from builder.daemon.events import FILTERS
from builder.daemon.http.connection import JSON, Exchange
from builder.daemon.http.errors import ApiError, BadRequest
from builder.daemon.http.routes import NEWEST, OLDEST, Asked, Route, shown
from builder.daemon.service import Service
from builder.daemon.threads import aside
from builder.errors import RegistryError
from builder.image.oci import Platform
from builder.image.reference import DEFAULT_REGISTRY
from builder.transport.registry.endpoint import host_of

_SECOND_NS: Final = 1_000_000_000


def hello(version: str) -> dict[str, str]:
    """The headers of every answer: what a client negotiates by."""
    return {
        "Api-Version": shown(NEWEST),
        "Docker-Experimental": "false",
        "Ostype": "linux",
        "Server": f"layerlab/{version} (linux)",
    }


async def ping(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """OK. ``Builder-Version`` 1 is the builder whose context comes as a tar."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "Builder-Version": "1", "Swarm": "inactive"}
    await exchange.answer_bytes(200, b"OK", {**headers, "Cache-Control": "no-cache, no-store"})


async def version(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Versions of the program, the API and the machine."""
    here = Platform()
    details = {
        "ApiVersion": shown(NEWEST),
        "MinAPIVersion": shown(OLDEST),
        "Os": here.os,
        "Arch": here.architecture,
        "KernelVersion": platform.release(),
        "GitCommit": "",
        "GoVersion": "",
        "BuildTime": "",
        "Experimental": "false",
    }
    number = service.configuration.version
    await exchange.answer(
        200,
        {
            "Platform": {"Name": f"layerlab ({service.configuration.strategy.value})"},
            "Components": [{"Name": "Engine", "Version": number, "Details": details}],
            "Version": number,
            **{name: value for name, value in details.items() if name != "Experimental"},
        },
    )


async def info(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """What there is, and what this daemon cannot do."""
    states = [each.state.status for each in service.containers.all()]
    here, configuration = Platform(), service.configuration
    simulated = "commands are simulated: nothing of this machine is run" if service.is_simulated else ""
    unlimited = [
        f"WARNING: No {name} support" for name in ("memory limit", "swap limit", "cpu cfs quota", "cpuset")
    ]
    images = await aside(service.images.all)
    await exchange.answer(
        200,
        {
            "ID": f"layerlab-{os.getpid()}",
            "Containers": len(states),
            "ContainersRunning": states.count("running"),
            "ContainersPaused": 0,
            "ContainersStopped": len(states) - states.count("running"),
            "Images": len(images),
            "Driver": "memory" if service.is_simulated else "overlay2",
            "DriverStatus": [["Strategy", configuration.strategy.value]],
            "Plugins": {
                "Volume": [],
                "Network": ["host", "none"],
                "Authorization": None,
                "Log": ["json-file"],
            },
            "MemoryLimit": False,
            "SwapLimit": False,
            "CpuCfsPeriod": False,
            "CpuCfsQuota": False,
            "CPUShares": False,
            "CPUSet": False,
            "PidsLimit": False,
            "OomKillDisable": False,
            "IPv4Forwarding": False,
            "Debug": False,
            "NEventsListener": service.events.listeners,
            "SystemTime": "",
            "LoggingDriver": "json-file",
            "CgroupDriver": "none",
            "KernelVersion": platform.release(),
            "OperatingSystem": "layerlab",
            "OSType": here.os,
            "OSVersion": "",
            "Architecture": platform.machine(),
            "IndexServerAddress": "https://index.docker.io/v1/",
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                "IndexConfigs": {},
                "Mirrors": [each.partition("=")[2] for each in configuration.mirrors],
            },
            "NCPU": os.cpu_count() or 1,
            "MemTotal": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "DockerRootDir": str(configuration.state_dir),
            "Name": platform.node(),
            "Labels": [],
            "ExperimentalBuild": False,
            "ServerVersion": configuration.version,
            "Runtimes": {configuration.strategy.value: {"path": ""}},
            "DefaultRuntime": configuration.strategy.value,
            "Swarm": {"NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": False},
            "LiveRestoreEnabled": False,
            "InitBinary": "",
            "ContainerdCommit": {"ID": "", "Expected": ""},
            "RuncCommit": {"ID": "", "Expected": ""},
            "InitCommit": {"ID": "", "Expected": ""},
            "SecurityOptions": []
            if service.is_simulated
            else ["name=rootless", "name=seccomp,profile=builtin"],
            "Warnings": [*([f"WARNING: {simulated}"] if simulated else []), *unlimited],
        },
    )


async def events(service: Service, exchange: Exchange, asked: Asked) -> None:
    """What happens from now on, or since a time, a line each; without ``until`` it never ends."""
    filters = asked.query.filters(FILTERS)
    since = _nanoseconds("since", asked.query.text("since"))
    until = _nanoseconds("until", asked.query.text("until"))
    await exchange.begin(JSON)
    async for event in service.events.listen(filters, since_ns=since, until_ns=until):
        await exchange.send(json.dumps(event.document()).encode() + b"\n")
    await exchange.end()


def _nanoseconds(name: str, written: str) -> int | None:
    """A time in seconds since 1970, which may have a fraction, as nanoseconds."""
    if not written:
        return None
    whole, _, fraction = written.partition(".")
    if not (whole.isascii() and whole.isdigit() and (fraction + "0").isdigit()):
        raise BadRequest(f"{name}={written!r:.100} is not a number of seconds since 1970")
    return int(whole[:12]) * _SECOND_NS + int(fraction[:9].ljust(9, "0"))


async def usage(service: Service, exchange: Exchange, asked: Asked) -> None:
    """What images, containers and the build cache take."""
    shares = await aside(service.store.shares)
    images = await aside(service.images.all)
    counts = service.containers.counts()
    cache = [
        {
            "ID": "records",
            "Type": "regular",
            "Description": f"{shares.records} records of steps",
            "InUse": False,
            "Shared": False,
            "Size": shares.record_bytes,
            "UsageCount": 0,
        }
    ]
    await exchange.answer(
        200,
        {
            "LayersSize": shares.image_bytes,
            "Images": [listed(kept, asked.version, counts.get(kept.image.id, 0)) for kept in images],
            "Containers": [
                listed_container(each, service.configuration.now_ns()) for each in service.containers.all()
            ],
            "Volumes": [],
            "BuildCache": cache if shares.records else [],
            "BuilderSize": shares.record_bytes,
        },
    )


async def log_in(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Try a password at its registry; nothing is kept here."""
    body = await exchange.json()
    credentials = credentials_of(body)
    if credentials is None:
        raise BadRequest("username and password are needed")
    registry = host_of(str(body.get("serveraddress") or DEFAULT_REGISTRY))

    def attempt() -> None:
        from builder.transport.registry.login import log_in

        with service.registries({}) as registries:
            log_in(registries, registry, credentials)

    try:
        await aside(attempt)
    except RegistryError as error:
        raise ApiError(401, str(error)) from None
    await exchange.answer(200, {"Status": "Login Succeeded", "IdentityToken": ""})


async def nothing(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """There are no networks to list."""
    await exchange.answer(200, [])


async def no_volumes(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """There are no volumes to list."""
    await exchange.answer(200, {"Volumes": [], "Warnings": None})


async def nothing_pruned(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Nothing of that kind is here, so nothing of it is removed."""
    await exchange.answer(200, {"NetworksDeleted": None, "VolumesDeleted": None, "SpaceReclaimed": 0})


ROUTES: Final = (
    Route("GET", "/_ping", ping),
    Route("GET", "/version", version),
    Route("GET", "/info", info),
    Route("GET", "/events", events),
    Route("GET", "/system/df", usage),
    Route("POST", "/auth", log_in),
    Route("GET", "/networks", nothing),
    Route("GET", "/volumes", no_volumes),
    Route("POST", "/networks/prune", nothing_pruned),
    Route("POST", "/volumes/prune", nothing_pruned),
)
